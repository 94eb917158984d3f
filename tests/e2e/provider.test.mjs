// An identity of another provider: a browser's own rules on cookies and on where a form may lead, and the
// pages that people meet on the way. The provider identifies everybody at once.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';

import { place, press } from './answers.mjs';
import { start } from './lib.mjs';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const codes = new Map();
let city, server, issuer, person, error;

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(claims) {
  const text = `${encode({ alg: 'ES256', kid: 'e2e' })}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function authorize(url) {
  const back = new URL(url.searchParams.get('redirect_uri'));
  back.searchParams.set('state', url.searchParams.get('state'));
  if (error) back.searchParams.set('error', error);
  else {
    const code = randomUUID();
    codes.set(code, url.searchParams);
    back.searchParams.set('code', code);
  }
  return back.href;
}

function answer(form) {
  const asked = codes.get(form.get('code'));
  const challenge = createHash('sha256').update(form.get('code_verifier')).digest('base64url');
  assert.equal(challenge, asked.get('code_challenge'));
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'ville', sub: person, nonce: asked.get('nonce'), iat: now, exp: now + 60 };
  return { access_token: 'x', token_type: 'Bearer', id_token: token({ ...claims, given_name: 'Angela', family_name: 'Dubois' }) };
}

before(async () => {
  city = await start();
  server = http.createServer(async (request, response) => {
    const url = new URL(request.url, issuer);
    let body = '';
    for await (const chunk of request) body += chunk;
    const json = (value) => { response.setHeader('content-type', 'application/json'); response.end(JSON.stringify(value)); };
    const to = (where) => { response.writeHead(302, { location: where }); response.end(); };
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, end_session_endpoint: `${issuer}/end` });
      case '/jwks': return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'e2e', use: 'sig' }] });
      case '/authorize': return to(authorize(url));
      case '/token': return json(answer(new URLSearchParams(body)));
      case '/end': return to(url.searchParams.get('post_logout_redirect_uri'));
      default: response.writeHead(404); return response.end();
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  // `localhost` is another site than `127.0.0.1`.
  issuer = `http://localhost:${server.address().port}`;
  const declared = (id, door) => city.admin('add-provider',
    `id = "${id}"\nname = "Compte Lac"\nprofile = "generic"\ndoor = "${door}"\nissuer = "${issuer}"\nclient_id = "ville"\n`,
    { options: ['--secret'], input: 'secret\n' });
  declared('lac', 'usagers');
  declared('lac-agents', 'agents');
});
after(async () => {
  server?.close();
  await city?.stop();
});

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const check = (page, options) => javaScriptEnabled && city.checkPage(page, options);

  describe(`an identity of another provider, ${way}`, () => {
    let page, context;
    before(async () => {
      person = `angela ${way}`;
      error = '';
      ({ page, context } = await city.open({ javaScriptEnabled }));
    });
    after(() => context?.close());
    const button = () => page.getByRole('button', { name: 'Se connecter avec Compte Lac' });

    test('opens a new account', async () => {
      await city.go(page, '/connexion');
      await check(page);
      await button().click();
      await page.getByRole('heading', { level: 1, name: 'Bienvenue, Angela Dubois' }).waitFor();
      await check(page);
      await page.getByLabel('Adresse électronique').fill('pas une adresse');
      await press(page, page.getByRole('button', { name: 'Créer mon compte' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Adresse électronique').fill('');
      await press(page, page.getByRole('button', { name: 'Créer mon compte' }));
      assert.equal(place(page), '/mes-demandes');
      for (const address of ['/compte', '/compte/securite']) {
        await city.go(page, address);
        await check(page);
      }
    });

    test('is left here and there', async () => {
      await page.locator('form[action="/deconnexion"] button').first().click();
      await page.getByRole('heading', { level: 1, name: 'Vous êtes déconnecté' }).waitFor();
      await check(page);
    });

    test('opens the same account again', async () => {
      await city.go(page, '/connexion?suite=%2Fcompte');
      await button().click();
      await page.waitForURL(/\/compte$/);
    });

    test('is added to the account one has', async () => {
      person = `autre ${way}`;
      await context.clearCookies();
      const { email, password } = city.account('usager');
      await city.go(page, '/connexion');
      await button().click();
      await page.getByRole('link', { name: 'Me connecter à mon compte' }).click();
      await page.getByLabel('Adresse électronique').fill(email);
      await page.getByLabel('Mot de passe', { exact: true }).fill(password);
      await press(page, page.getByRole('main').getByRole('button', { name: 'Se connecter', exact: true }));
      await page.getByRole('heading', { level: 1, name: 'Rattacher Compte Lac à votre compte' }).waitFor();
      await check(page);
      await press(page, page.getByRole('button', { name: 'Rattacher cette identité' }));
      await page.getByText('L’identité est rattachée').waitFor();
      await check(page);
      await page.getByText('Détacher une identité').click();
      await page.locator('#mot-de-passe-retirer-identite').fill(password);
      await press(page, page.getByRole('button', { name: 'Détacher l’identité' }));
      await page.getByText('L’identité est détachée').waitFor();
    });

    test('that is refused leaves the password', async () => {
      error = 'access_denied';
      await context.clearCookies();
      for (const door of ['/connexion', '/agent/connexion']) {
        await city.go(page, door);
        await check(page);
        await button().click();
        await page.locator('.govuk-error-summary').waitFor();
        await check(page, { status: 403 });
      }
    });
  });
}
