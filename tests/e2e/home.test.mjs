import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

test('the home page welcomes', async () => {
  const { context, page } = await city.open();
  await city.go(page, '/');
  await city.checkPage(page);
  await context.close();
});

test('the home page is whole without JavaScript', async () => {
  const { context, page } = await city.open({ javaScriptEnabled: false });
  await city.go(page, '/');
  assert.equal(await page.locator('h1').count(), 1);
  assert.ok(await page.getByRole('main').getByRole('link').count() > 0, 'it leads somewhere');
  await context.close();
});

test('a page that does not exist says so kindly', async () => {
  const { context, page } = await city.open();
  await city.go(page, '/cette-page-n-existe-pas', 404);
  await city.checkPage(page, { status: 404 });
  await context.close();
});
