// The search box of agents, while they type: by keyboard alone, on a wide and on a narrow screen, and without script.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

// The name and the reference of some request of the department.
async function known(page) {
  await city.go(page, '/agent?vue=toutes');
  const row = page.locator('main table tbody tr').first();
  const reference = (await row.locator('.g-ref').first().innerText()).trim();
  const [, name] = (await row.locator('[data-label="Usager"]').innerText()).trim().match(/(\p{L}{4,})/u);
  return { reference, name };
}

for (const narrow of [false, true]) {
  describe(`search box, ${narrow ? '320 px' : 'wide'}`, () => {
    let page, context;
    before(async () => {
      ({ page, context } = await city.open());
      if (narrow) await page.setViewportSize({ width: 320, height: 640 });
      await city.signIn(page, city.agent('etat-civil', 'processor'));
    });
    after(() => context?.close());

    test('by keyboard alone', async () => {
      const { reference, name } = await known(page);
      const box = page.getByRole('searchbox');
      const found = page.locator('.g-quick__found');
      const told = page.locator('.g-quick [role=status]');
      const focused = () => page.evaluate(() => document.activeElement.textContent);
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
      const before = await wide();
      // Nothing for two letters; a list and its announcement for more.
      await box.focus();
      await page.keyboard.type(name.slice(0, 2));
      assert.ok(await found.isHidden());
      await page.keyboard.type(name.slice(2));
      await found.waitFor();
      assert.match(await told.textContent(), /trouvé/);
      const { x, width } = await found.boundingBox();
      assert.ok(x >= 0 && x + width <= page.viewportSize().width, `${x} ${width}`);
      assert.equal(await wide(), before, 'the page has become wider');
      await city.checkPage(page);
      // Down to the first, up again, and away.
      await page.keyboard.press('ArrowDown');
      assert.match(await focused(), /VAL-/);
      await page.keyboard.press('ArrowUp');
      assert.ok(await box.evaluate((input) => input === document.activeElement));
      await page.keyboard.press('Escape');
      assert.ok(await found.isHidden());
      assert.equal(await box.inputValue(), name, 'what was typed stays');
      // A whole reference leads to its request.
      await box.fill(reference);
      await found.getByText(reference).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/agent\/demandes\//);
      assert.ok((await page.locator('main').innerText()).includes(reference));
    });

    test('nothing found is told, and the form sends as before', async () => {
      await city.go(page, '/agent');
      const box = page.getByRole('searchbox');
      await box.fill('zzzzxqwk');
      await page.locator('.g-quick__told', { hasText: 'Aucun dossier trouvé' }).waitFor();
      await box.press('Enter');
      await page.waitForURL(/\/agent\?q=zzzzxqwk/);
    });

    test('an answer that comes late does not cover a later one', async () => {
      const { name } = await known(page);
      // The first answer waits until the second is shown.
      let asked = 0, release, late;
      const held = new Promise((resolve) => { release = resolve; });
      const given = new Promise((resolve) => { late = resolve; });
      await page.route('**/agent/recherche?*', async (route) => {
        asked += 1;
        const first = asked === 1;
        const response = await route.fetch();
        if (first) await held;
        // Nobody waits for it any more.
        await route.fulfill({ response }).catch(() => {});
        if (first) late();
      });
      const box = page.getByRole('searchbox');
      await box.fill(name);
      await page.waitForRequest(/recherche/);
      await box.fill('zzzzxqwk');
      await page.locator('.g-quick__told', { hasText: 'Aucun dossier trouvé' }).waitFor();
      release();
      await given;
      assert.equal(await page.locator('.g-quick__told').textContent(), 'Aucun dossier trouvé');
      await page.unroute('**/agent/recherche?*');
    });
  });
}

test('without JavaScript the box is a form', async () => {
  const { page, context } = await city.open({ javaScriptEnabled: false });
  await city.signIn(page, city.agent('etat-civil', 'processor'));
  const { reference } = await known(page);
  await page.getByRole('searchbox').fill(reference);
  await page.getByRole('searchbox').press('Enter');
  await page.waitForURL(/\/agent\?q=/);
  assert.ok((await page.getByRole('main').innerText()).includes(reference));
  await context.close();
});
