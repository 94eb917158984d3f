// « Mes documents » opened by a passkey that derives a secret (WebAuthn, extension `prf`), with Chromium's own
// authenticator of pretence; and by one that derives nothing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { place, press } from './answers.mjs';
import { device } from './device.mjs';
import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

const OFFER = 'Ouvrir avec ma clé d’accès';
const ADD = 'Ouvrir aussi avec ma clé d’accès';

async function createDocuments(page, account) {
  await city.go(page, '/mes-documents');
  await page.getByLabel('Votre mot de passe', { exact: false }).first().fill(account.password);
  await press(page, page.getByRole('button', { name: 'Créer mon espace de documents' }));
  await page.getByRole('heading', { level: 1, name: 'Votre code de secours' }).waitFor();
}

async function addPasskey(page, account) {
  await city.go(page, '/compte/securite');
  await page.locator('summary').filter({ hasText: 'Ajouter une clé d’accès' }).click();
  await page.locator('#mot-de-passe-cle').fill(account.password);
  await press(page, page.locator('form[action$="/cles"]').getByRole('button', { name: 'Continuer' }));
  await page.getByLabel('Nom de la clé').fill('Mon téléphone');
  await page.getByRole('button', { name: 'Créer la clé d’accès' }).click();
  await page.getByText('La clé d’accès est ajoutée').first().waitFor();
}

describe('documents opened by a passkey', () => {
  let page, context, account, photo;
  const main = () => page.getByRole('main');
  const button = (name) => main().getByRole('button', { name, exact: true });
  const sent = [];
  before(async () => {
    ({ page, context } = await city.open());
    await device(context, page, { hasPrf: true });
    account = city.account('usager');
    await city.signIn(page, account);
    await createDocuments(page, account);
    await addPasskey(page, account);
    photo = await city.photo('quittance.jpg');
    await city.go(page, '/mes-documents/ajouter');
    await page.getByLabel('Votre fichier ou votre photo').setInputFiles(photo);
    await press(page, button('Ranger ce document'));
    page.on('request', (request) => request.method() === 'POST' && sent.push(request.postData() ?? ''));
  });
  after(() => context?.close());

  const close = async () => {
    await city.go(page, '/mes-documents');
    await press(page, button('Refermer mes documents'));
    await page.getByRole('heading', { level: 1, name: 'Ouvrir mes documents' }).waitFor();
  };
  const secrets = () => sent.map((data) => new URLSearchParams(data).get('secret')).filter(Boolean);

  test('are told so while they are open', async () => {
    await city.go(page, '/mes-documents');
    await city.checkPage(page);
    await press(page, main().getByRole('link', { name: 'Ouvrir mes documents avec une clé d’accès' }));
    assert.equal(place(page), '/mes-documents/cles');
    await button(ADD).waitFor();
    assert.equal(await main().getByText('Votre navigateur ne sait pas').isVisible(), false);
    await city.checkPage(page);
    await button(ADD).click();
    await page.getByText('Cette clé d’accès ouvre vos documents.').first().waitFor();
    await main().getByText('Ouvre vos documents depuis le').waitFor();
    await city.checkPage(page);
  });

  test('open, and read back what was put in', async () => {
    await close();
    await button(OFFER).waitFor();
    await city.checkPage(page);
    await button(OFFER).click();
    await page.waitForURL((url) => url.pathname === '/mes-documents');
    const link = main().getByRole('link', { name: 'Télécharger quittance.jpg' });
    const answer = await page.request.get(new URL(await link.getAttribute('href'), city.address).href);
    assert.equal(answer.status(), 200);
    assert.ok((await answer.body()).length > 1000);
    // The same secret both times, of 256 bits, and never within the signed answer.
    const [first, second, ...others] = secrets();
    assert.match(first, /^[\w-]{43}$/);
    assert.equal(first, second);
    assert.equal(others.length, 0);
    for (const data of sent) assert.ok(!(new URLSearchParams(data).get('reponse') ?? '').includes(first));
  });

  test('say when the session has ended meanwhile', async () => {
    await close();
    await button(OFFER).waitFor();
    await context.clearCookies();
    await button(OFFER).click();
    await page.waitForURL((url) => url.pathname === '/connexion');
    await city.signIn(page, account);
  });

  test('no longer open once the passkey is removed', async () => {
    await city.go(page, '/compte/securite');
    await main().getByText('ouvre aussi vos documents').waitFor();
    await page.locator('summary').filter({ hasText: 'Retirer une clé d’accès' }).click();
    await page.locator('#mot-de-passe-retirer-cle').fill(account.password);
    await press(page, page.getByRole('button', { name: 'Retirer la clé d’accès' }));
    await page.getByText('La clé d’accès est retirée').first().waitFor();
    await close();
    assert.equal(await button(OFFER).count(), 0);
    await page.getByLabel('Mot de passe de votre compte').fill(account.password);
    await press(page, button('Ouvrir'));
    await main().getByRole('link', { name: 'quittance.jpg', exact: true }).waitFor();
    await city.go(page, '/mes-documents/cles');
    await main().getByText('Votre compte n’a pas encore de clé d’accès').waitFor();
    await city.checkPage(page);
  });
});

test('a device that derives nothing says so', async () => {
  const { page, context } = await city.open();
  const phone = await device(context, page);
  const account = city.accounts.filter((one) => one.role === 'usager')[1];
  await city.signIn(page, account);
  await createDocuments(page, account);
  await addPasskey(page, account);
  await city.go(page, '/mes-documents/cles');
  await page.getByRole('button', { name: ADD }).click();
  await page.locator('.govuk-error-summary').getByText('ne sait pas ouvrir vos documents').waitFor();
  await city.checkPage(page);
  // Not the owner's finger; last, for Chromium's authenticator then stays blocked.
  await phone.verified(false);
  await page.getByRole('button', { name: ADD }).click();
  await page.getByText('ouvrez vos documents autrement').waitFor();
  await city.checkPage(page);
  await context.close();
});

test('a browser that derives nothing offers nothing', async () => {
  const { page, context } = await city.open();
  await page.addInitScript(() => {
    PublicKeyCredential.getClientCapabilities = async () => ({ 'extension:prf': false });
  });
  const account = city.accounts.filter((one) => one.role === 'usager')[1];
  await city.signIn(page, account);
  await city.go(page, '/mes-documents/cles');
  await page.getByRole('main').getByText('Votre navigateur ne sait pas').waitFor();
  assert.equal(await page.getByRole('button', { name: ADD }).isVisible(), false);
  await city.checkPage(page);
  await context.close();
});
