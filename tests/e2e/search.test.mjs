// Searching as people type: without accents, in the plural, with a slip of the finger.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

const FOUND = [
  ['acte de naissance', 'acte-naissance'],
  ['actes de naissances', 'acte-naissance'],
  ['etat civil naissance', 'acte-naissance'],
  ['naisance', 'acte-naissance'],
  ['ÉCOLES', 'inscription-scolaire'],
  ['cantine', 'restaurant-scolaire'],
  ['encombrant', 'encombrants'],
  ['encombrents', 'encombrants'],
  ['déchets verts', 'dechets-verts'],
  ['dechet vert', 'dechets-verts'],
  ['liste electorale', 'inscription-listes-electorales'],
  ['demenagment', 'stationnement-demenagement'],
];

for (const javaScriptEnabled of [true, false]) {
  describe(`search, ${javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'}`, () => {
    let page, context;
    before(async () => { ({ page, context } = await city.open({ javaScriptEnabled })); });
    after(() => context?.close());

    for (const [typed, procedure] of FOUND) {
      test(`« ${typed} » finds ${procedure}`, async () => {
        await city.go(page, '/');
        await page.getByRole('searchbox').fill(typed);
        await page.getByRole('searchbox').press('Enter');
        await page.waitForURL(/\/demarches\?/);
        const links = await page.getByRole('main').locator('a[href^="/demarches/"]').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
        const rank = [...new Set(links)].indexOf(`/demarches/${procedure}`);
        assert.ok(rank >= 0 && rank < 3, `rank ${rank} among ${links.join(' ')}`);
        if (javaScriptEnabled) await city.checkPage(page);
      });
    }

    test('nothing found leads somewhere', async () => {
      await city.go(page, '/demarches?q=zzzzxqwk');
      assert.ok((await page.getByRole('main').getByRole('link').count()) > 0);
      if (javaScriptEnabled) await city.checkPage(page);
    });
  });
}
