// Passkeys, with Chromium's own authenticator of pretence: added, used to sign in, removed.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { press } from './answers.mjs';
import { device } from './device.mjs';
import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

const PEOPLE = {
  usager: { account: () => city.account('usager'), base: '/compte/securite', door: '/connexion', home: /\/mes-demandes$/ },
  agent: { account: () => city.account('agent'), base: '/agent/securite', door: '/agent/connexion', home: /\/agent$/ },
};

for (const [kind, { account, base, door, home }] of Object.entries(PEOPLE)) {
  describe(`a passkey of an ${kind}`, () => {
    let page, context, phone;
    before(async () => {
      ({ page, context } = await city.open());
      phone = await device(context, page);
    });
    after(() => context?.close());

    const open = (title) => page.locator('summary').filter({ hasText: title }).click();
    const button = () => page.getByRole('button', { name: 'Se connecter avec une clé d’accès' });
    // Signing out is tried elsewhere; here the device stays and the session goes.
    const leave = async () => {
      await context.clearCookies();
      await city.go(page, door);
    };

    test('is added', async () => {
      await city.signIn(page, account());
      await city.go(page, base);
      await open('Ajouter une clé d’accès');
      await page.locator('#mot-de-passe-cle').fill(account().password);
      await press(page, page.locator('form[action$="/cles"]').getByRole('button', { name: 'Continuer' }));
      await page.getByRole('heading', { level: 1, name: 'Ajouter une clé d’accès' }).waitFor();
      await city.checkPage(page);
      await page.getByLabel('Nom de la clé').fill('Mon téléphone');
      await page.getByRole('button', { name: 'Créer la clé d’accès' }).click();
      await page.getByText('La clé d’accès est ajoutée').first().waitFor();
      await city.checkPage(page);
      const [key, ...others] = await phone.keys();
      assert.equal(others.length, 0);
      assert.equal(key.rpId, 'localhost');
      assert.ok(key.isResidentCredential);
    });

    test('signs in without a password', async () => {
      await leave();
      await button().waitFor();
      await city.checkPage(page);
      // Not the owner's finger: nothing happens but words.
      await phone.verified(false);
      await button().click();
      await page.getByText('Votre appareil n’a pas donné de clé d’accès').waitFor();
      await city.checkPage(page);
      await phone.verified(true);
      await button().click();
      await page.waitForURL(home);
    });

    test('is removed', async () => {
      await city.go(page, base);
      await open('Retirer une clé d’accès');
      await page.locator('#mot-de-passe-retirer-cle').fill(account().password);
      await press(page, page.getByRole('button', { name: 'Retirer la clé d’accès' }));
      await page.getByText('La clé d’accès est retirée').first().waitFor();
      await city.checkPage(page);
      await leave();
      await button().click();
      await page.locator('.govuk-error-summary').getByText('Cette clé d’accès n’est pas acceptée ici').waitFor();
      await city.checkPage(page);
    });
  });
}

test('nothing is offered without JavaScript', async () => {
  const { page, context } = await city.open({ javaScriptEnabled: false });
  for (const address of ['/connexion', '/agent/connexion']) {
    await city.go(page, address);
    assert.equal(await page.locator('form[data-passkey]').count(), 1);
    assert.equal(await page.locator('form[data-passkey]').isVisible(), false);
  }
  await context.close();
});
