// An application on openid-client, unmodified. oidc_client.mjs ISSUER CLIENT SECRET
// `/` sends to sign in, `/retour` says who came, as JSON, `/quitter` signs out, `/sessions` tells whose session is open.
import http from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages of the browser's tests.
const require = createRequire(new URL("../e2e/package.json", import.meta.url));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const [client, jose] = await Promise.all([load("openid-client"), load("jose")]);

const [issuer, id, secret] = process.argv.slice(2);
const authentication = secret ? client.ClientSecretBasic(secret) : client.None();
const sessions = new Map();
let config;
let asked;

async function discovered() {
  config ??= await client.discovery(new URL(issuer), id, undefined, authentication, {
    execute: [client.allowInsecureRequests],
  });
  return config;
}

async function enter(here) {
  asked = { verifier: client.randomPKCECodeVerifier(), state: client.randomState(), nonce: client.randomNonce() };
  return client.buildAuthorizationUrl(await discovered(), {
    redirect_uri: `${here}/retour`,
    scope: "openid profile email",
    code_challenge: await client.calculatePKCECodeChallenge(asked.verifier),
    code_challenge_method: "S256",
    state: asked.state,
    nonce: asked.nonce,
  });
}

async function back(url) {
  const tokens = await client.authorizationCodeGrant(await discovered(), url, {
    pkceCodeVerifier: asked.verifier,
    expectedState: asked.state,
    expectedNonce: asked.nonce,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  sessions.set(claims.sid, tokens);
  const again = tokens.refresh_token && (await client.refreshTokenGrant(config, tokens.refresh_token));
  return { claims, info, refreshed: Boolean(again?.access_token) };
}

async function told(body) {
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const token = new URLSearchParams(body).get("logout_token");
  const { payload } = await jose.jwtVerify(token, keys, { issuer, audience: id, typ: "logout+jwt" });
  if (!payload.events["http://schemas.openid.net/event/backchannel-logout"] || payload.nonce) throw new Error("no event");
  sessions.delete(payload.sid);
}

async function answer(request, here) {
  const url = new URL(request.url, here);
  if (url.pathname === "/") return { status: 302, to: await enter(here) };
  if (url.pathname === "/retour") return { status: 200, body: await back(url) };
  if (url.pathname === "/sessions") return { status: 200, body: [...sessions.keys()] };
  if (url.pathname === "/prevenu") {
    let body = "";
    for await (const chunk of request) body += chunk;
    await told(body);
    return { status: 200 };
  }
  const [tokens] = sessions.values();
  const parameters = { post_logout_redirect_uri: `${here}/parti`, id_token_hint: tokens.id_token, state: "etat" };
  return { status: 302, to: client.buildEndSessionUrl(config, parameters) };
}

const server = http.createServer(async (request, response) => {
  const here = `http://127.0.0.1:${server.address().port}`;
  try {
    const { status, to, body } = await answer(request, here);
    response.writeHead(status, to ? { location: to.href } : {});
    response.end(body ? JSON.stringify(body) : "");
  } catch (error) {
    response.writeHead(500);
    response.end(`${error.code} ${error.stack} ${error.cause?.stack ?? JSON.stringify(error.cause)}`);
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
