// FranceConnect as near as can be: the engine that it runs on (oidc-provider), with its rules: short codes,
// signed userinfo, pairwise subjects, a level that must be asked for. Everybody is identified at once.
// Arguments: the portal's address, client_id, client_secret. Says its port.

import { createHash, generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const modules = createRequire(new URL('../e2e/package.json', import.meta.url));
const { Provider } = await import(pathToFileURL(modules.resolve('oidc-provider')));

const [portal, clientId, secret] = process.argv.slice(2);
const key = (type, options, alg) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg });
const angela = {
  given_name: 'Angela Claire Louise', given_name_array: ['Angela', 'Claire', 'Louise'], family_name: 'DUBOIS', gender: 'female',
  birthdate: '1962-08-00', birthplace: '', birthcountry: '99109', preferred_username: 'MARTIN', email: 'angela@exemple.fr',
};

let answer = (request, response) => response.end();
const server = http.createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
    clients: [{
      client_id: clientId, client_secret: secret, redirect_uris: [`${portal}/connexion/retour/fc`], post_logout_redirect_uris: [`${portal}/deconnexion/retour`],
      response_types: ['code'], grant_types: ['authorization_code'], token_endpoint_auth_method: 'client_secret_post', subject_type: 'pairwise',
      id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'RS256',
    }],
    acrValues: ['eidas1', 'eidas2'],
    scopes: ['openid', 'identite_pivot', 'preferred_username', 'email'],
    claims: {
      openid: ['sub'], acr: null, preferred_username: ['preferred_username'], email: ['email'],
      identite_pivot: ['given_name', 'given_name_array', 'family_name', 'birthdate', 'gender', 'birthplace', 'birthcountry'],
    },
    features: { devInteractions: { enabled: false }, jwtUserinfo: { enabled: true } },
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: (context, account, client) => createHash('sha256').update(`${account} ${client.clientId}`).digest('hex'),
    findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, ...angela }) }),
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AuthorizationCode: 30, AccessToken: 60, IdToken: 60, Interaction: 600, Session: 600, Grant: 600 },
    jwks: { keys: [key('ec', { namedCurve: 'P-256' }, 'ES256'), key('rsa', { modulusLength: 2048 }, 'RS256')] },
    cookies: { keys: ['of a test'] },
  });
  const callback = provider.callback();
  answer = async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return callback(request, response);
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: 'angela', acr: 'eidas1', amr: ['pwd'] } });
    }
    const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  };
  console.log(server.address().port);
});
