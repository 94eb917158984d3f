// Somebody without account asks for a birth certificate, and follows it with a code.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { place, press } from './answers.mjs';
import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const check = (page) => javaScriptEnabled && city.checkPage(page);

  describe(`a birth certificate, ${way}`, () => {
    let page, context, reference, code;
    const next = () => press(page, page.getByRole('button', { name: 'Enregistrer et continuer' }));
    const choose = (question, option) =>
      page.getByRole('radiogroup', { name: question }).getByRole('radio', { name: option, exact: true }).check();

    before(async () => { ({ page, context } = await city.open({ javaScriptEnabled })); });
    after(() => context?.close());

    test('begins at the home page', async () => {
      await city.go(page, '/');
      await press(page, page.getByRole('main').getByRole('link', { name: 'Demander un acte de naissance' }).first());
      await check(page);
      await press(page, page.getByRole('main').getByRole('link', { name: /Commencer/ }).first());
      await page.getByRole('heading', { level: 1, name: 'L’acte demandé' }).waitFor();
      await check(page);
    });

    test('says what is missing, and keeps what was typed', async () => {
      await choose('Où la personne est-elle née ?', 'Dans la commune');
      await next();
      const summary = page.locator('.govuk-error-summary');
      assert.match(await summary.innerText(), /Quel document/);
      assert.match(await page.title(), /^Erreur : /);
      assert.ok(await page.getByRole('radio', { name: 'Dans la commune', exact: true }).isChecked());
      await check(page);
      await summary.getByRole('link').first().click();
      const led = javaScriptEnabled
        ? await page.evaluate(() => document.activeElement?.name ?? '')
        : new URL(page.url()).hash.slice(1);
      assert.match(led, /^document/, 'the error leads to its question');
    });

    test('tells when the certificate is useless, then goes on', async () => {
      await choose('Pour quoi avez-vous besoin de cet acte ?', 'Un dossier chez le notaire');
      await choose('Quel document souhaitez-vous ?', 'Copie intégrale');
      await page.getByLabel('Combien d’exemplaires ?').fill('2');
      await next();
      // An explanation is not a question: it does not hold anybody back.
      await page.getByRole('heading', { level: 1, name: 'La personne concernée' }).waitFor();
      await press(page, page.getByRole('link', { name: 'Retour', exact: true }));
      await page.getByText('Notre commune transmet').waitFor();
      assert.equal(await page.getByLabel('Combien d’exemplaires ?').inputValue(), '2');
      await check(page);
      await next();
    });

    test('asks who the certificate is about, and the parents', async () => {
      await check(page);
      await page.getByLabel('Nom de naissance').fill('Lefèvre');
      await page.getByLabel('Prénoms').fill('Aurélie Jeanne');
      await page.getByLabel('Jour').fill('3');
      await page.getByLabel('Mois').fill('avril');
      await page.getByLabel('Année').fill('1958');
      await next();
      await choose('Combien de parents figurent dans l’acte ?', 'Un seul parent');
      await check(page);
      await next();
      const parent = page.getByRole('group', { name: /Parent 1/ });
      await parent.getByLabel('Nom de naissance').fill('Lefèvre');
      await parent.getByLabel('Prénoms').fill('Renée');
      await check(page);
      await next();
      await page.getByRole('heading', { level: 1, name: 'Vous' }).waitFor();
    });

    test('is told when this is not the right procedure', async () => {
      await choose('Vous êtes…', 'Quelqu’un d’autre');
      await page.getByLabel('Nom de naissance').fill('Morel');
      await page.getByLabel('Prénoms').fill('Julien');
      await check(page);
      await next();
      await page.getByRole('heading', { level: 1, name: 'Vous ne pouvez pas continuer cette démarche' }).waitFor();
      await check(page);
      await press(page, page.getByRole('link', { name: 'Revenir à la question précédente' }));
      await choose('Vous êtes…', 'Son enfant ou petit-enfant');
      await next();
      await page.getByRole('heading', { level: 1, name: 'Où l’envoyer' }).waitFor();
    });

    test('gives an address', async () => {
      await check(page);
      await page.getByLabel('Numéro et voie').fill('12 rue des Lilas');
      await page.getByLabel('Code postal').fill('96000');
      await page.getByLabel('Commune').fill('Valmont');
      await page.getByLabel('Quelle est votre adresse électronique ?').fill('julien.morel@exemple.fr');
      await next();
      await page.getByRole('heading', { level: 1, name: 'Vérifiez puis envoyez votre demande' }).waitFor();
    });

    test('checks, changes an answer, and comes straight back', async () => {
      await check(page);
      assert.match(await page.getByRole('main').innerText(), /n’est pas encore envoyée/);
      await press(page, page.getByRole('link', { name: /Modifier.*acte demandé/ }));
      await page.getByLabel('Combien d’exemplaires ?').fill('1');
      for (let turn = 0; turn < 6 && !place(page).endsWith('/verifier'); turn += 1) await next();
      assert.match(await page.getByRole('main').innerText(), /Combien d’exemplaires\s\?\s*1\b/);
    });

    test('does not send without the declaration', async () => {
      await press(page, page.getByRole('button', { name: 'Envoyer ma demande' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel(/Je certifie/).check();
      await press(page, page.getByRole('button', { name: 'Envoyer ma demande' }));
      await page.getByRole('heading', { level: 1, name: 'Demande envoyée' }).waitFor();
      await check(page);
      reference = (await page.locator('.g-ref').first().innerText()).trim();
      code = (await page.locator('.g-code').innerText()).trim();
      assert.match(reference, /^VAL-/);
    });

    test('keeps the confirmation for a reload, and gives a receipt', async () => {
      await page.reload();
      assert.match(await page.getByRole('main').innerText(), new RegExp(reference));
      const href = await page.getByRole('link', { name: /Accusé d’enregistrement/ }).getAttribute('href');
      const receipt = await context.request.get(href);
      assert.equal(receipt.status(), 200);
      assert.equal(receipt.headers()['content-type'], 'application/pdf');
      assert.match(receipt.headers()['content-disposition'], new RegExp(reference));
      const body = await receipt.body();
      assert.equal(body.subarray(0, 5).toString(), '%PDF-');
      assert.ok(body.length > 5_000, `${body.length} bytes`);
    });

    test('is not for another browser', async () => {
      const url = page.url();
      const other = await city.open({ javaScriptEnabled });
      const response = await other.page.goto(url);
      assert.ok(response.status() === 404 || place(other.page) === '/connexion', `${response.status()} ${other.page.url()}`);
      assert.doesNotMatch(await other.page.content(), new RegExp(reference));
      await other.context.close();
    });

    test('is found again with its code, from elsewhere', async () => {
      await context.close();
      ({ page, context } = await city.open({ javaScriptEnabled }));
      await city.go(page, '/suivre');
      await check(page);
      await page.getByLabel('Référence').fill(reference);
      await page.getByLabel('Code de suivi').fill('AAAA-AAAA');
      await press(page, page.getByRole('button', { name: 'Voir ma demande' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Référence').fill(reference.toLowerCase().replaceAll('-', ' '));
      await page.getByLabel('Code de suivi').fill(code.toLowerCase());
      await press(page, page.getByRole('button', { name: 'Voir ma demande' }));
      await page.getByRole('heading', { level: 1, name: 'Demander un acte de naissance' }).waitFor();
      assert.match(await page.getByRole('main').innerText(), /Copie intégrale/);
      await check(page);
    });

    test('writes to the department', async () => {
      await page.getByLabel('Écrire au service').fill('Mon père est né le 3 avril.\nMerci.');
      await press(page, page.getByRole('button', { name: 'Envoyer mon message' }));
      await page.getByText('Mon père est né le 3 avril.').waitFor();
      assert.equal(await page.getByLabel('Écrire au service').inputValue(), '');
      await check(page);
    });
  });
}
