// An account: created, confirmed by mail, its password forgotten and chosen again; and a session
// that ends while a form is being filled.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { answer, inDays, place, press } from './answers.mjs';
import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const check = (page) => javaScriptEnabled && city.checkPage(page);
  const email = `solene.${javaScriptEnabled ? 'avec' : 'sans'}@exemple.fr`;

  // The link that a mail holds.
  const follow = async (page, mail) => {
    await city.go(page, mail);
    await press(page, page.getByRole('main').getByRole('link', { name: /^http/ }));
  };

  describe(`an account, ${way}`, () => {
    let page, context;
    before(async () => { ({ page, context } = await city.open({ javaScriptEnabled })); });
    after(() => context?.close());

    test('is created', async () => {
      await city.go(page, '/inscription');
      await check(page);
      await page.getByLabel('Adresse électronique').fill('pas une adresse');
      await page.getByLabel('Mot de passe', { exact: true }).fill('court');
      await press(page, page.getByRole('button', { name: 'Créer mon compte' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Prénom').fill('Solène');
      await page.getByLabel('Nom', { exact: true }).fill('Le Bihan');
      await page.getByLabel('Adresse électronique').fill(email);
      await page.getByLabel('Mot de passe', { exact: true }).fill('le chat dort sur le toit');
      await press(page, page.getByRole('button', { name: 'Créer mon compte' }));
      await page.getByRole('heading', { level: 1, name: 'Consultez vos courriels' }).waitFor();
      await check(page);
    });

    test('does not open before it is confirmed', async () => {
      await city.go(page, '/connexion');
      await page.getByLabel('Adresse électronique').fill(email);
      await page.getByLabel('Mot de passe', { exact: true }).fill('le chat dort sur le toit');
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.getByRole('heading', { level: 1, name: 'Consultez vos courriels' }).waitFor();
      await check(page);
      await city.go(page, '/mes-demandes');
      await page.getByRole('heading', { level: 1, name: 'Se connecter', exact: true }).waitFor();
    });

    test('is confirmed by the link of a mail, once', async () => {
      const [mail] = await city.mails(page, email, /Confirmez/);
      await follow(page, mail);
      await check(page);
      await press(page, page.getByRole('button', { name: 'Confirmer mon adresse' }));
      await page.getByRole('heading', { level: 1, name: 'Se connecter', exact: true }).waitFor();
      await check(page);
      await follow(page, mail);
      await page.getByRole('heading', { level: 1, name: 'Ce lien n’est plus valable' }).waitFor();
      if (javaScriptEnabled) await city.checkPage(page, { status: 410 });
    });

    test('opens, and says who is there', async () => {
      await city.signIn(page, { role: 'usager', email, password: 'le chat dort sur le toit' });
      assert.match(await page.getByRole('banner').innerText(), /Solène Le Bihan/);
      await check(page);
      await city.go(page, '/compte');
      await check(page);
      await press(page, page.getByRole('banner').getByRole('button', { name: 'Se déconnecter' }));
      await page.getByRole('banner').getByRole('link', { name: 'Se connecter', exact: true }).waitFor();
    });

    test('gets a new password when the old one is forgotten', async () => {
      await city.go(page, '/connexion');
      await press(page, page.getByRole('link', { name: 'J’ai oublié mon mot de passe' }));
      await check(page);
      await page.getByLabel('Adresse électronique').fill(email);
      await press(page, page.getByRole('button', { name: 'Recevoir le lien' }));
      await page.getByRole('heading', { level: 1, name: 'Consultez vos courriels' }).waitFor();
      await check(page);
      const [mail] = await city.mails(page, email, /mot de passe/i);
      await follow(page, mail);
      await check(page);
      await page.getByLabel('Nouveau mot de passe').fill('court');
      await press(page, page.getByRole('button', { name: 'Enregistrer ce mot de passe' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Nouveau mot de passe').fill('la pluie tombe sur la mer');
      await press(page, page.getByRole('button', { name: 'Enregistrer ce mot de passe' }));
      await page.waitForURL((url) => !url.pathname.startsWith('/mot-de-passe'));
      await check(page);
    });

    test('opens with the new password only', async () => {
      await context.close();
      ({ page, context } = await city.open({ javaScriptEnabled }));
      await city.go(page, '/connexion');
      await page.getByLabel('Adresse électronique').fill(email);
      await page.getByLabel('Mot de passe', { exact: true }).fill('le chat dort sur le toit');
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.locator('.govuk-error-summary').waitFor();
      await city.signIn(page, { role: 'usager', email, password: 'la pluie tombe sur la mer' });
    });
  });

  test(`answers typed before the session ended are not lost, ${way}`, async () => {
    const { page, context } = await city.open({ javaScriptEnabled });
    await city.signIn(page, city.account('usager'));
    await city.go(page, '/demarches/restaurant-scolaire/remplir');
    const first = place(page);
    for (let turn = 0; turn < 4 && place(page) === first; turn += 1) {
      await answer(page, { debut: inDays(20) });
      await press(page, page.getByRole('button', { name: 'Enregistrer et continuer' }));
    }
    const there = place(page);
    assert.match(there, /^\/brouillons\//);
    await answer(page, { numero_voie: '77 chemin des Crues', 'adresse.numero_voie': '77 chemin des Crues' });
    const typed = await values(page);
    assert.ok(Object.values(typed).some((value) => value !== ''), 'something is typed');

    await context.clearCookies();
    await press(page, page.getByRole('button', { name: 'Enregistrer et continuer' }));
    await page.getByRole('heading', { level: 1, name: 'Reconnectez-vous' }).waitFor();
    await check(page);
    const account = city.account('usager');
    await page.getByLabel('Adresse électronique').fill(account.email);
    await page.getByLabel('Mot de passe', { exact: true }).fill(account.password);
    await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
    await page.waitForURL((url) => url.pathname.startsWith('/brouillons/'));
    await city.go(page, there);
    assert.deepEqual(await values(page), typed);
    await check(page);
    await context.close();
  });
}

// What the controls of the page's own form hold, by name.
function values(page) {
  return page.evaluate(() => {
    const form = document.querySelector('main form[method=post]');
    const kept = [...new FormData(form)].filter(([name]) => !name.startsWith('_') && name !== 'version');
    return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
  });
}
