// Another application, entered with one's account: what the person sees, and a browser's own rules on
// where a form may lead. The application leads elsewhere at once, as many do.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';

import { place, press } from './answers.mjs';
import { start } from './lib.mjs';

let city, server, application;
before(async () => {
  city = await start();
  server = http.createServer((request, response) => {
    const { port } = server.address();
    const url = new URL(request.url, application);
    if (url.pathname === '/app/') {
      // `localhost` is another origin than `127.0.0.1`.
      response.writeHead(302, { location: `http://localhost:${port}/fin?${url.searchParams.has('ticket') ? 'avec' : 'sans'}` });
      response.end();
    } else {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<!doctype html><html lang="fr"><title>Application</title><p>Application');
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  application = `http://127.0.0.1:${server.address().port}`;
  city.admin('add-client', `id = "app"\nname = "Médiathèque"\nclaims = ["given_name", "email"]\n[cas]\nservices = ["${application}/app/"]\n`);
});
after(async () => {
  server?.close();
  await city?.stop();
});

const login = () => `/cas/login?service=${encodeURIComponent(`${application}/app/`)}`;
const arrived = (page) => page.waitForURL((url) => url.hostname === 'localhost' && url.search === '?avec');

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const check = (page) => javaScriptEnabled && city.checkPage(page);

  describe(`another application, ${way}`, () => {
    let page, context;
    before(async () => { ({ page, context } = await city.open({ javaScriptEnabled })); });
    after(() => context?.close());

    test('is refused, then entered', async () => {
      const { email, password } = city.account('usager');
      await city.go(page, login());
      assert.equal(place(page), '/connexion');
      await page.getByLabel('Adresse électronique').fill(email);
      await page.getByLabel('Mot de passe', { exact: true }).fill(password);
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.getByRole('heading', { level: 1, name: 'Se connecter à Médiathèque' }).waitFor();
      await check(page);
      await press(page, page.getByRole('button', { name: 'Refuser' }));
      await page.getByRole('heading', { level: 1, name: 'Vous n’êtes pas connecté' }).waitFor();
      await check(page);
      await city.go(page, login());
      await page.getByRole('button', { name: 'Accepter' }).click();
      await arrived(page);
    });

    test('is entered again without a word', async () => {
      await page.goto(login());
      await arrived(page);
    });

    test('is seen and taken back in the account', async () => {
      await city.go(page, '/compte');
      await press(page, page.getByRole('link', { name: 'services connectés' }));
      await check(page);
      await press(page, page.getByRole('button', { name: 'Retirer mon accord pour Médiathèque' }));
      await page.getByText('Aucun service ne reçoit').waitFor();
      await check(page);
    });

    test('that nobody declared gets nobody', async () => {
      await city.go(page, '/cas/login?service=https%3A//autre.exemple/', 400);
      javaScriptEnabled && await city.checkPage(page, { status: 400 });
    });
  });
}
