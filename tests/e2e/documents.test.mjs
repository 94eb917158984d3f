// « Mes documents »: made with the password, a document put in, used in a request, found again with the code.

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

  describe(`documents of one's own, ${way}`, () => {
    let page, context, account, code;
    const main = () => page.getByRole('main');
    const button = (name) => main().getByRole('button', { name, exact: true });
    before(async () => {
      ({ page, context } = await city.open({ javaScriptEnabled }));
      const usagers = city.accounts.filter((one) => one.role === 'usager');
      account = usagers[javaScriptEnabled ? 0 : 1];
      await city.signIn(page, account);
    });
    after(() => context?.close());

    test('are protected by two keys', async () => {
      await press(page, page.getByRole('banner').getByRole('link', { name: 'Mes documents' }));
      await main().getByText('Deux clés seulement').waitFor();
      await press(page, button('Créer mon espace de documents'));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Votre mot de passe', { exact: false }).first().fill(account.password);
      await press(page, button('Créer mon espace de documents'));
      await page.getByRole('heading', { level: 1, name: 'Votre code de secours' }).waitFor();
      code = (await main().locator('#code').innerText()).trim();
      assert.match(code, /^[0-9A-Z]{5}(-[0-9A-Z]{5}){5}$/);
      await check(page);
      await press(page, main().getByRole('link', { name: 'J’ai gardé mon code' }));
      await main().getByText('Aucun document pour l’instant').waitFor();
      await check(page);
    });

    test('are put in, described and found', async () => {
      await press(page, main().getByRole('link', { name: 'Ajouter un document' }));
      await check(page);
      await press(page, button('Ranger ce document'));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Type de document').selectOption('domicile');
      await page.getByLabel('Votre fichier ou votre photo').setInputFiles(await city.photo('quittance.jpg'));
      await press(page, button('Ranger ce document'));
      await page.getByRole('heading', { level: 1, name: 'quittance.jpg' }).waitFor();
      await check(page);
      await page.getByLabel('Jour').first().fill('31');
      await page.getByLabel('Mois').first().fill('2');
      await press(page, button('Enregistrer'));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Jour').first().fill('1');
      await page.getByLabel('Mois').first().fill('1');
      await page.getByLabel('Année').first().fill('2025');
      await press(page, button('Enregistrer'));
      await main().getByText('Dépassé depuis le 1er avril 2025').waitFor();
      await city.go(page, '/mes-documents');
      await check(page);
      await press(page, main().getByRole('link', { name: 'quittance.jpg', exact: true }));
      await press(page, main().getByRole('link', { name: 'Supprimer ce document' }));
      await check(page);
      await press(page, main().getByRole('link', { name: 'Ne rien changer' }));
    });

    test('close, and open again with the code', async () => {
      await city.go(page, '/mes-documents');
      await press(page, button('Refermer mes documents'));
      await page.getByRole('heading', { level: 1, name: 'Ouvrir mes documents' }).waitFor();
      await check(page);
      await press(page, main().getByRole('link', { name: 'Utiliser mon code de secours' }));
      await check(page);
      await page.getByLabel('Code de secours', { exact: false }).fill(code.toLowerCase());
      await page.getByLabel('Mot de passe actuel de votre compte').fill(account.password);
      await press(page, button('Retrouver mes documents'));
      assert.equal(place(page), '/mes-documents');
      await main().getByRole('link', { name: 'quittance.jpg', exact: true }).waitFor();
      await press(page, main().getByRole('link', { name: 'Changer de code de secours' }));
      await check(page);
    });
  });
}
