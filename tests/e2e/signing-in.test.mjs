// The second factor: set up with the drawing or its key, asked at sign-in, replaced by a recovery code.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { press } from './answers.mjs';
import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

// What an authenticator application shows for this key, `ahead` steps of 30 seconds from now.
function code(key, ahead = 0) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key.replace(/\s/g, '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const tag = createHmac('sha1', secret).update(step).digest();
  const number = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const check = (page) => javaScriptEnabled && city.checkPage(page);

  describe(`a second factor, ${way}`, () => {
    let page, context, key, spare;
    before(async () => { ({ page, context } = await city.open({ javaScriptEnabled })); });
    after(() => context?.close());

    // The password is typed; the page of the code follows.
    const toCode = async () => {
      const { email, password } = city.account('usager');
      await press(page, page.getByRole('banner').getByRole('button', { name: 'Se déconnecter' }));
      await city.go(page, '/connexion');
      await page.getByLabel('Adresse électronique').fill(email);
      await page.getByLabel('Mot de passe', { exact: true }).fill(password);
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.getByRole('heading', { level: 1, name: 'Saisissez votre code' }).waitFor();
    };
    const open = (title) => page.locator('summary').filter({ hasText: title }).click();

    test('is set up', async () => {
      await city.signIn(page, city.account('usager'));
      await city.go(page, '/compte');
      await press(page, page.getByRole('link', { name: /^Second facteur/ }));
      await check(page);
      await open('Activer le second facteur');
      await press(page, page.getByRole('button', { name: 'Continuer' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.locator('#mot-de-passe-activer').fill(city.account('usager').password);
      await press(page, page.getByRole('button', { name: 'Continuer' }));
      await page.getByRole('img', { name: /Code QR/ }).waitFor();
      await check(page);
      key = await page.locator('#secret').innerText();
      await page.getByLabel('Code à 6 chiffres').fill(code(key));
      await press(page, page.getByRole('button', { name: 'Activer' }));
      await page.getByRole('heading', { level: 1, name: 'Vos codes de secours' }).waitFor();
      await check(page);
      const codes = await page.locator('ol strong.g-ref').allInnerTexts();
      assert.equal(new Set(codes).size, 10);
      [spare] = codes;
      await press(page, page.getByRole('link', { name: 'J’ai gardé mes codes' }));
      await check(page);
    });

    test('is asked after the password', async () => {
      await toCode();
      await check(page);
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      // One step later than the code of the set-up, which has served.
      await page.getByLabel('Code à 6 chiffres').fill(code(key, 1));
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.waitForURL(/\/mes-demandes$/);
    });

    test('is replaced by a recovery code, then removed', async () => {
      await toCode();
      await open('Je n’ai pas mon téléphone');
      await page.getByLabel('Code de secours').fill(spare.toLowerCase());
      await press(page, page.getByRole('button', { name: 'Se connecter avec ce code' }));
      await page.waitForURL(/\/mes-demandes$/);
      await city.go(page, '/compte/securite');
      await page.getByText('Il vous reste 9 codes de secours').waitFor();
      await check(page);
      await open('Retirer le second facteur');
      await page.locator('#mot-de-passe-retirer').fill(city.account('usager').password);
      await press(page, page.getByRole('button', { name: 'Retirer le second facteur' }));
      await page.getByText('Le second facteur est retiré').first().waitFor();
      await check(page);
    });
  });
}
