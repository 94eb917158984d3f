// Every page that each role meets holds what all pages must hold (see City.checkPage).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { answer, fillAll, inDays, place, press } from './answers.mjs';
import { start } from './lib.mjs';

let city, procedures;
before(async () => {
  city = await start();
  const { page, context } = await city.open();
  await city.go(page, '/plan-du-site');
  await city.go(page, '/demarches');
  procedures = await hrefs(page, /^\/demarches\/[a-z-]+$/);
  await context.close();
  assert.equal(procedures.length, 19, procedures.join(' '));
});
after(() => city?.stop());

// The addresses of the page's links that look so, each once.
async function hrefs(page, like) {
  const all = await page.locator('main a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  return [...new Set(all.filter((href) => href && like.test(href)))];
}

// Goes to each page and checks it; tells about all that are wrong.
async function checkAll(page, addresses, { status = 200 } = {}) {
  const wrong = [];
  for (const address of addresses) {
    try {
      await city.go(page, address, status);
      await city.checkPage(page, { status });
    } catch (error) {
      wrong.push(`${address}: ${error.message}`);
    }
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
}

// Sends an empty form and checks the page that says what is wrong.
async function checkMistakes(page, address, button) {
  await city.go(page, address);
  await press(page, page.getByRole('main').getByRole('button', { name: button }).first());
  await page.locator('.govuk-error-summary').waitFor();
  await city.checkPage(page);
}

describe('pages without account', () => {
  let page, context;
  before(async () => { ({ page, context } = await city.open()); });
  after(() => context?.close());

  test('the portal', async () => {
    await checkAll(page, [
      '/', '/demarches', '/demarches?q=naissance', '/demarches?q=zzzzxqwk', '/demarches?theme=enfance', '/demarches?theme=rien',
      '/accessibilite', '/mentions-legales', '/donnees-personnelles', '/cookies', '/aide', '/plan-du-site',
      '/connexion', '/connexion?suite=%2Fcompte', '/inscription', '/mot-de-passe-oublie', '/activation', '/suivre', '/agent/connexion', '/demo/courriels',
    ]);
    await checkAll(page, await filters(page));
  });

  test('what does not exist', async () => {
    const none = '/demandes/00000000-0000-7000-8000-000000000000';
    await checkAll(page, ['/rien', '/demarches/rien', '/demarches/rien/commencer'], { status: 404 });
    await page.goto(none);
    assert.ok(place(page) === '/connexion' || (await page.locator('h1').count()) === 1);
  });

  test('forms sent empty', async () => {
    await checkMistakes(page, '/connexion', 'Se connecter');
    await checkMistakes(page, '/inscription', 'Créer mon compte');
    await checkMistakes(page, '/mot-de-passe-oublie', 'Recevoir le lien');
    await checkMistakes(page, '/activation', 'Activer mon compte');
    await checkMistakes(page, '/suivre', 'Voir ma demande');
    await checkMistakes(page, '/agent/connexion', 'Se connecter');
  });

  test('links that are too old', async () => {
    for (const address of ['/confirmer/abcdef', '/mot-de-passe/abcdef']) {
      const response = await page.goto(address);
      await city.checkPage(page, { status: response.status() });
    }
  });

  test('each procedure, and its beginning', async () => {
    await checkAll(page, procedures.flatMap((one) => [one, `${one}/commencer`]));
  });
});

/** Takes two requests of the list at once: each page of it. */
async function several(city, page) {
  await city.go(page, '/agent?vue=toutes&affecte=personne');
  for (const box of (await page.locator('input[name=d]').all()).slice(0, 2)) await box.check();
  await press(page, page.getByRole('button', { name: 'Agir sur les dossiers cochés' }));
  await city.checkPage(page);
  await page.getByRole('radio', { name: 'M’affecter' }).check();
  await press(page, page.getByRole('button', { name: 'Continuer' }));
  await city.checkPage(page);
  await press(page, page.getByRole('button', { name: /^Confirmer pour/ }));
  await page.getByRole('heading', { name: 'C’est fait pour' }).waitFor();
  await city.checkPage(page);
}

async function filters(page) {
  await city.go(page, '/demarches');
  return hrefs(page, /^\/demarches\?/);
}

describe('pages of somebody who has an account', () => {
  let page, context;
  before(async () => {
    ({ page, context } = await city.open());
    await city.signIn(page, city.account('usager'));
  });
  after(() => context?.close());

  test('requests and account', async () => {
    await checkAll(page, ['/mes-demandes', '/mes-demandes?q=zzzz', '/mes-documents', '/compte', '/compte/supprimer', '/compte/reunir', '/compte/foyer', '/compte/foyer/ajouter', '/compte/foyer/proteger', '/compte/foyer/inviter', '/compte/identite', '/compte/identite/retirer', '/compte/identite/courrier', '/compte/coordonnees', '/compte/coordonnees/ajouter', '/compte/coordonnees/changer',
      '/compte/donnees', '/qualite', '/qualite/demande-information', '/mes-services', '/mes-services/rattacher/dechets']);
    await city.go(page, '/mes-demandes');
    const requests = await hrefs(page, /^\/demandes\/[0-9a-f-]+$/);
    assert.ok(requests.length > 0);
    await checkAll(page, requests.slice(0, 10));
    for (const request of requests.slice(0, 10)) {
      await city.go(page, request);
      const cancel = page.getByRole('link', { name: 'Annuler ma demande' });
      if (!(await cancel.count())) continue;
      await press(page, cancel);
      await city.checkPage(page);
      break;
    }
  });

  test('forms of the household sent empty', async () => {
    for (const [address, button] of [
      ['/compte/coordonnees/ajouter', 'Enregistrer'], ['/compte/coordonnees/changer', 'Enregistrer et prévenir les services cochés'],
      ['/compte/foyer/ajouter', 'Ajouter à mon foyer'], ['/compte/foyer/proteger', 'Ajouter à mon foyer'], ['/compte/foyer/inviter', 'Envoyer l’invitation'],
    ]) await checkMistakes(page, address, button);
    await checkAll(page, ['/compte/foyer/invitations/inconnue'], { status: 410 });
  });

  test('a share, and an address', async () => {
    await city.go(page, '/compte/foyer/inviter');
    await answer(page, { courriel: 'dominique@exemple.fr', portee: 'foyer' });
    await press(page, page.getByRole('button', { name: 'Envoyer l’invitation' }));
    await city.checkPage(page);
    await press(page, page.getByRole('link', { name: 'Retirer l’invitation' }));
    await city.checkPage(page);
    await city.go(page, '/compte/coordonnees/ajouter');
    await answer(page, { depuis: { jour: '1', mois: '5', annee: '2020' }, jusque: { jour: '', mois: '', annee: '' } });
    await press(page, page.getByRole('button', { name: 'Enregistrer' }));
    await city.checkPage(page);
    await press(page, page.getByRole('link', { name: /^Retirer/ }).first());
    await city.checkPage(page);
  });

  test('an identity to be verified, and a question that is locked', async () => {
    await city.go(page, '/demarches/acces-donnees-personnelles/remplir');
    await page.getByText('Identité vérifiée au guichet').waitFor();
    await city.checkPage(page);
    await checkMistakes(page, '/compte/identite/courrier', 'Demander la lettre');
    // Somebody whom nobody has verified: the ways, a letter asked for, its code.
    const { page: other, context: theirs } = await city.open();
    await city.signIn(other, city.accounts.find((account) => account.role === 'usager' && !account.verified));
    await city.go(other, '/demarches/acces-donnees-personnelles/remplir');
    assert.equal(place(other), '/compte/identite');
    await city.checkPage(other);
    await other.getByRole('link', { name: 'Recevoir un code par courrier' }).click();
    for (const [name, value] of [
      ['identite.nom_naissance', 'Benkhelifa'], ['identite.prenoms', 'Mohamed'], ['identite.annee', '1978'], ['identite.lieu', 'Oran'],
      ['adresse.numero_voie', '14 place des Carmes'], ['adresse.code_postal', '96000'], ['adresse.commune', 'Valmont'],
    ]) await other.locator(`[name="${name}"]`).fill(value);
    await press(other, other.getByRole('button', { name: 'Demander la lettre' }));
    await city.checkPage(other);
    await other.getByLabel('Code de la lettre').fill('AAAA');
    await press(other, other.getByRole('button', { name: 'Vérifier mon identité' }));
    await other.locator('.govuk-error-summary').waitFor();
    await city.checkPage(other, { status: 422 });
    await theirs.close();
    // The agent who prints it, and who stands at the counter.
    const { page: desk, context: work } = await city.open();
    await city.signIn(desk, city.agent('education', 'processor'));
    await checkAll(desk, ['/agent/courriers', '/agent/comptes']);
    await desk.getByLabel('Adresse électronique ou identifiant').fill(city.account('usager').email);
    await press(desk, desk.getByRole('main').getByRole('button', { name: 'Rechercher' }));
    await city.checkPage(desk);
    await desk.getByRole('link', { name: 'Vérifier l’identité de cette personne' }).click();
    await city.checkPage(desk);
    await press(desk, desk.getByRole('button', { name: 'Enregistrer l’identité vérifiée' }));
    await desk.locator('.govuk-error-summary').waitFor();
    await city.checkPage(desk);
    await work.close();
  });

  test('being told by SMS', async () => {
    city.admin('add-sms', 'url = "http://127.0.0.1:9/sendsms"\nusername = "ville"\ndepartment = "commerce"\n', { input: 'secret' });
    await checkAll(page, ['/compte', '/compte/sms']);
    await checkMistakes(page, '/compte/sms', 'Recevoir un code');
    await page.getByLabel('Téléphone portable').fill('06 39 98 00 01');
    await page.getByLabel(/J’accepte de recevoir/).check();
    await press(page, page.getByRole('button', { name: 'Recevoir un code' }));
    await city.checkPage(page);
    await checkMistakes(page, '/compte/sms', 'Confirmer le numéro');
  });

  test('forms of the account sent empty', async () => {
    await city.go(page, '/compte');
    await page.getByLabel('Nom', { exact: true }).fill('');
    await press(page, page.getByRole('button', { name: 'Enregistrer', exact: true }));
    await city.checkPage(page);
    for (const [block, button] of [
      ['Changer d’adresse électronique', 'Changer d’adresse'], ['Changer mon mot de passe', 'Changer mon mot de passe'],
    ]) {
      await city.go(page, '/compte');
      await page.locator('summary', { hasText: block }).click();
      await press(page, page.getByRole('button', { name: button, exact: true }));
      await page.locator('.govuk-error-summary').waitFor();
      await city.checkPage(page);
    }
    await city.go(page, '/compte/supprimer');
    await press(page, page.getByRole('button', { name: 'Supprimer mon compte', exact: true }));
    await page.locator('.govuk-error-summary').waitFor();
    await city.checkPage(page);
  });

  test('acting for others', async () => {
    await checkAll(page, ['/agir-pour', '/compte/organisations', '/compte/organisations/declarer', '/compte/mandats', '/compte/mandats/donner', '/compte/mandats/fait']);
    await checkMistakes(page, '/compte/organisations/declarer', 'Déclarer l’organisation');
    await checkMistakes(page, '/compte/mandats/donner', 'Proposer ce mandat');
    await city.go(page, '/compte/organisations');
    const [club] = await hrefs(page, /^\/compte\/organisations\/[0-9a-f-]+$/);
    await checkAll(page, [club]);
    await city.go(page, '/agir-pour');
    await press(page, page.getByRole('button', { name: 'Agir pour Judo-club de Valmont' }));
    const banner = page.getByText('Vous agissez pour Judo-club de Valmont');
    await checkAll(page, ['/mes-demandes', '/agir-pour', '/demarches/demande-information']);
    await checkAll(page, ['/compte', '/mes-documents'], { status: 403 });
    await checkAll(page, [`/organisations/${club.split('/').pop()}/documents`]);
    assert.ok(await banner.isVisible());
    await press(page, page.getByRole('button', { name: 'Revenir à moi' }).first());
    assert.equal(await banner.count(), 0);
    // One's own, which nobody represents with one.
    await city.go(page, '/compte/organisations/declarer');
    await page.getByLabel('Une association', { exact: true }).check();
    await page.getByLabel('Nom', { exact: true }).fill('Amis du parc');
    await page.getByLabel('Numéro RNA, pour une association (facultatif)').fill('W963000999');
    await page.getByLabel('Adresse du siège').fill('2 rue du Parc, 96000 Valmont');
    await press(page, page.getByRole('button', { name: 'Déclarer l’organisation' }));
    await city.checkPage(page);
    await checkMistakes(page, new URL(page.url()).pathname, 'Envoyer l’invitation');
  });

  test('a bill is linked, renamed, taken back', async () => {
    await checkMistakes(page, '/mes-services/rattacher/dechets', 'Rattacher');
    await page.getByLabel('Référence web').fill('DEC-100001');
    await page.getByLabel('Date de naissance du titulaire du contrat').fill('27/03/1985');
    await press(page, page.getByRole('button', { name: 'Rattacher', exact: true }));
    await city.checkPage(page);
    const [link] = await hrefs(page, /^\/mes-services\/[0-9a-f-]+$/);
    await checkAll(page, [link, `${link}/detacher`, '/compte/donnees']);
    await city.go(page, `${link}/detacher`);
    await press(page, page.getByRole('button', { name: 'Détacher' }));
    await checkMistakes(page, '/compte/donnees', 'Télécharger');
  });

  test('the procedure pages list the drafts', async () => {
    await checkAll(page, procedures.slice(0, 3));
  });
});

describe('pages of agents', () => {
  test('letters, their templates, who signs', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('commerce', 'manager'));
    await checkAll(page, ['/agent/modeles', '/agent/modeles/commerce/buvette-arrete', '/agent/modeles/commerce/buvette-refus', '/agent/modeles/commerce/courriel-decision', '/agent/modeles/commerce/sms-decision',
      '/agent/delegations', '/agent/delegations/nouvelle?service=commerce', '/agent/courriers/demandes', '/agent/contacts', '/agent/contacts?etat=classes', '/agent/contacts/nouveau?service=commerce']);
    await checkMistakes(page, '/agent/delegations/nouvelle?service=commerce', 'Noter au registre');
    await city.go(page, '/agent/delegations');
    const ends = await hrefs(page, /\/fin$/);
    assert.ok(ends.length > 0);
    await checkAll(page, ends.slice(0, 1));
    await city.go(page, '/agent/modeles/commerce/buvette-refus');
    await page.getByLabel('Texte', { exact: true }).fill('{{ inconnu }}');
    await press(page, page.getByRole('button', { name: 'Enregistrer' }));
    await page.locator('.govuk-error-summary').waitFor();
    await city.checkPage(page);
    // The page of a decision, with its letter.
    await city.go(page, '/agent?vue=toutes&demarche=debit-boissons-temporaire');
    const requests = await hrefs(page, /^\/agent\/demandes\/[0-9a-f-]+(\?|$)/);
    let seen = 0;
    for (const request of requests.slice(0, 12)) {
      await city.go(page, request);
      const actions = await hrefs(page, /\/actions\/(accept|refuse)(\?|$)/);
      if (!actions.length) continue;
      await checkAll(page, actions);
      seen += 1;
      break;
    }
    assert.ok(seen > 0, 'no request waits for a decision by letter');
    // A letter outside of any action, and one begun from a template.
    const letter = `${requests[0].split('?')[0]}/courrier`;
    await checkAll(page, [letter, `${letter}?modele=buvette-refus`]);
    await checkMistakes(page, letter, 'Voir la lettre');
    await context.close();
  });

  test('opinions: asked by one department, given by another', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('urbanisme', 'processor'));
    await city.go(page, '/agent?vue=a-traiter');
    const [request] = (await hrefs(page, /^\/agent\/demandes\/[0-9a-f-]+(\?|$)/)).map((href) => href.split('?')[0]);
    assert.ok(request, 'urbanism has no request');
    const ask = `${request}/avis/demander`;
    await checkAll(page, [ask]);
    await checkMistakes(page, ask, 'Demander cet avis');
    await city.go(page, ask);
    await page.getByLabel('À qui').selectOption('voirie');
    await page.getByLabel('La question posée').fill('La voie est-elle assez large ?');
    await press(page, page.getByRole('button', { name: 'Demander cet avis' }));
    await city.checkPage(page);
    await checkAll(page, [`${request}?onglet=avis`, `${request}/acces`]);
    await city.go(page, ask);
    await page.getByLabel('À qui').selectOption('exterieur');
    await page.getByLabel('Nom de la personne ou de l’organisme (facultatif)').fill('Agence Bâti');
    await page.getByLabel('Son adresse électronique (facultatif)').fill('agence@exemple.fr');
    await page.getByLabel('La question posée').fill('Le mur tient-il ?');
    await press(page, page.getByRole('button', { name: 'Demander cet avis' }));
    await context.close();
    // Somebody outside: the link, the code, the form, the thanks; another browser sees that it is open.
    const outside = await city.open();
    const first = async (subject) => {
      const [mail] = await city.mails(outside.page, 'agence@exemple.fr', subject);
      await city.go(outside.page, mail);
      return outside.page.locator('main').innerText();
    };
    const link = (await first('Un avis vous est demandé')).match(/\/avis\/[\w-]+/)[0];
    await checkAll(outside.page, [link]);
    await press(outside.page, outside.page.getByRole('button', { name: 'Recevoir le code' }));
    await checkMistakes(outside.page, link, 'Ouvrir');
    const code = (await first('Votre code pour rendre un avis')).match(/ouvrir la page de l’avis\s*:\s*([0-9A-Z-]+)/)[1];
    await city.go(outside.page, link);
    await outside.page.getByLabel('Code reçu par courriel').fill(code);
    await press(outside.page, outside.page.getByRole('button', { name: 'Ouvrir' }));
    await city.checkPage(outside.page);
    await checkMistakes(outside.page, link, 'Rendre cet avis');
    const elsewhere = await city.open();
    await checkAll(elsewhere.page, [link]);
    assert.ok(await elsewhere.page.getByText('Ce lien est ouvert ailleurs').isVisible());
    await elsewhere.context.close();
    await outside.page.getByLabel('Favorable', { exact: true }).check();
    await press(outside.page, outside.page.getByRole('button', { name: 'Rendre cet avis' }));
    await city.checkPage(outside.page);
    assert.ok(await outside.page.getByText('votre avis est transmis').isVisible());
    await outside.context.close();
    const other = await city.open();
    await city.signIn(other.page, city.agent('voirie', 'processor'));
    await checkAll(other.page, ['/agent/avis-a-rendre']);
    const [opinion] = await hrefs(other.page, /^\/agent\/avis-a-rendre\/[0-9a-f-]+$/);
    await checkAll(other.page, [opinion]);
    await checkMistakes(other.page, opinion, 'Rendre cet avis');
    await other.page.getByLabel('Sans avis', { exact: true }).check();
    await press(other.page, other.page.getByRole('button', { name: 'Rendre cet avis' }));
    await city.checkPage(other.page);
    await checkAll(other.page, [opinion]);
    await other.context.close();
  });

  test('approvals: asked by one, given by others in turn', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('voirie', 'manager'));
    await checkAll(page, ['/agent/a-viser']);
    const waiting = await hrefs(page, /^\/agent\/a-viser\/[0-9a-f-]+$/);
    assert.ok(waiting.length > 1, 'nothing is to be approved by the roads department');
    await checkAll(page, [waiting[0]]);
    await checkMistakes(page, waiting[0], 'Répondre');
    for (const [visa, choice, words] of [[waiting[0], 'Je vise', 'Conforme au plan.'], [waiting[1], 'Je refuse de viser', 'Le plan est ancien.']]) {
      await city.go(page, visa);
      await page.getByLabel(choice).check();
      await page.getByLabel('Votre raison').fill(words);
      await press(page, page.getByRole('button', { name: 'Répondre' }));
      await city.checkPage(page);
      await checkAll(page, [visa]);
    }
    await context.close();
    const other = await city.open();
    await city.signIn(other.page, city.agent('urbanisme', 'processor'));
    await city.go(other.page, '/agent?vue=toutes&demarche=certificat-alignement');
    const requests = (await hrefs(other.page, /^\/agent\/demandes\/[0-9a-f-]+(\?|$)/)).map((href) => href.split('?')[0]);
    assert.ok(requests.length > 0);
    let proposed = false;
    for (const request of requests) {
      await city.go(other.page, request);
      const [action] = await hrefs(other.page, /\/actions\/propose(\?|$)/);
      if (await other.page.getByText('visa refusé').count()) await checkAll(other.page, [request, `${request}?onglet=parapheur`]);
      if (!action || proposed) continue;
      await checkAll(other.page, [action]);
      await checkMistakes(other.page, action, /^Confirmer/);
      proposed = true;
    }
    await other.context.close();
  });

  test('contacts: noted, to qualify, tied', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('commerce', 'manager'));
    const form = '/agent/contacts/nouveau?service=commerce';
    await checkMistakes(page, form, 'Noter');
    await city.go(page, form);
    await page.getByLabel('Appel téléphonique').check();
    await page.getByLabel('La personne vers le service').check();
    await page.getByLabel('Avec qui ?').fill('Madame Z');
    await page.getByLabel('Ce qui a été dit ou écrit').fill('Demande un rendez-vous.');
    await press(page, page.getByRole('button', { name: 'Noter', exact: true }));
    await city.checkPage(page);
    await page.getByRole('link', { name: /Madame Z/ }).first().click();
    await city.checkPage(page);
    const contact = new URL(page.url()).pathname;
    for (const [button, status] of [['Rattacher', 422], ['Confier', 422], ['Classer', 422]]) {
      await city.go(page, contact);
      await press(page, page.getByRole('button', { name: button, exact: true }));
      await page.locator('.govuk-error-summary').waitFor();
      await city.checkPage(page, { status });
    }
    await city.go(page, contact);
    await page.getByLabel('Pourquoi ?').selectOption({ index: 1 });
    await press(page, page.getByRole('button', { name: 'Classer', exact: true }));
    await checkAll(page, [contact, '/agent/contacts?etat=classes']);
    await city.go(page, '/agent?vue=toutes');
    const [request] = await hrefs(page, /^\/agent\/demandes\/[0-9a-f-]+(\?|$)/);
    const note = `${request.split('?')[0]}/echanges`;
    await checkMistakes(page, note, 'Noter');
    await checkAll(page, [note]);
    await context.close();
  });

  test('scanned post: sent, cut, dealt out; an answer typed for an usager', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('commerce', 'manager'));
    await checkAll(page, ['/agent/numerisations', '/agent/numerisations/nouvelle']);
    await checkMistakes(page, '/agent/numerisations/nouvelle', 'Envoyer ce lot');
    // A scan of three pages.
    const paper = await context.newPage();
    await paper.setContent('<h1>Lettre</h1><h1 style="break-before: page">Suite</h1><h1 style="break-before: page">Autre lettre</h1>');
    const buffer = await paper.pdf({ format: 'A4', margin: { top: '3cm', left: '3cm' } });
    await paper.close();
    await page.getByLabel('Pages numérisées').setInputFiles({ name: 'lot.pdf', mimeType: 'application/pdf', buffer });
    if (await page.getByLabel('Service qui traitera ce courrier').count()) await page.getByLabel('Service qui traitera ce courrier').selectOption('commerce');
    await press(page, page.getByRole('button', { name: 'Envoyer ce lot' }));
    const batch = new URL(page.url()).pathname;
    // Pictures are made beside: looked for until they are there.
    const late = Date.now() + 60_000;
    do await city.go(page, batch); while (Date.now() < late && (await page.getByText('se préparent').count()));
    await checkAll(page, [batch]);
    const drawn = await page.locator('.g-pages img').evaluateAll((images) => images.map((image) => image.complete && image.naturalWidth > 100));
    assert.deepEqual(drawn, [true, true, true]);
    await page.getByLabel('Page 3').check();
    await press(page, page.getByRole('button', { name: 'Enregistrer le découpage' }));
    await city.checkPage(page);
    await press(page, page.getByRole('link', { name: 'Pages 1 à 2' }));
    await city.checkPage(page);
    await checkMistakes(page, `${batch}/documents/1`, 'Traiter ce document');
    await page.getByLabel('Dans les contacts à qualifier').check();
    await page.getByLabel('Qui écrit ?').fill('Monsieur Y');
    await press(page, page.getByRole('button', { name: 'Traiter ce document' }));
    await city.checkPage(page);
    await page.getByLabel('Commencer une demande au guichet').check();
    await press(page, page.getByRole('button', { name: 'Traiter ce document' }));
    await page.getByText('À partir d’un contact du service').waitFor();
    await city.checkPage(page);
    await checkAll(page, [batch, '/agent/numerisations']);
    // A request that waits for its usager.
    await city.go(page, '/agent?vue=attente');
    let [waiting] = await hrefs(page, /^\/agent\/demandes\/[0-9a-f-]+(\?|$)/);
    assert.ok(waiting, 'no request waits for its usager');
    waiting = waiting.split('?')[0];
    await checkAll(page, [`${waiting}/completer`]);
    await page.getByLabel('Date de réception').fill('1/1/2020');
    await press(page, page.getByRole('button', { name: 'Continuer' }));
    await page.locator('.govuk-error-summary').waitFor();
    await city.checkPage(page, { status: 422 });
    await city.go(page, `${waiting}/completer`);
    await press(page, page.getByRole('button', { name: 'Continuer' }));
    await city.checkPage(page);
    for (const address of (await hrefs(page, /^\/agent\/depots\/[0-9a-f-]+\//)).slice(0, 2)) await checkAll(page, [address]);
    await context.close();
  });

  test('who manages a department', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('etat-civil', 'manager'));
    await checkAll(page, ['/agent/statistiques', '/agent/statistiques?periode=7j', '/agent/statistiques?demarche=acte-naissance', '/agent/statistiques/autrement?demarche=acte-naissance', '/agent/retards', '/agent/agents']);
    const agents = await hrefs(page, /^\/agent\/agents\/[^/]+$/);
    assert.ok(agents.length > 2, agents.join(' '));
    await checkAll(page, [...agents, '/agent/droits/nouveau?service=etat-civil']);
    await checkMistakes(page, '/agent/droits/nouveau?service=etat-civil', 'Donner ce droit');
    let held = [];
    for (const agent of agents) {
      await city.go(page, agent);
      held = held.concat(await hrefs(page, /\/dossiers\?service=/));
    }
    assert.ok(held.length > 0, 'nobody holds anything');
    await checkAll(page, held);
    await checkMistakes(page, held[0], 'Confier ces dossiers');
    const other = agents[0];
    await city.go(page, other);
    if (await page.getByLabel('Année').count()) {
      await page.getByLabel('Année').fill('2020');
      await press(page, page.getByRole('button', { name: 'Enregistrer' }));
      await page.locator('.govuk-error-summary').waitFor();
      await city.checkPage(page);
    }
    await context.close();
  });

  test('references of a department', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('dechets', 'manager'));
    await checkAll(page, ['/agent/references', '/agent/references/dechets']);
    await checkMistakes(page, '/agent/references/dechets', 'Charger');
    await checkMistakes(page, '/agent/references/dechets', 'Chercher');
    await page.getByLabel('Référence', { exact: true }).fill('DEC-100002');
    await press(page, page.getByRole('button', { name: 'Chercher', exact: true }));
    await city.checkPage(page);
    await page.getByLabel('Fichier CSV').setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('reference;naissance\nDEC;x') });
    await press(page, page.getByRole('button', { name: 'Charger' }));
    await city.checkPage(page);
    await context.close();
  });

  for (const [department, right] of [['education', 'processor'], ['etat-civil', 'decider'], ['relations-usagers', 'reader']]) {
    test(`${right} of ${department}`, async () => {
      const { page, context } = await city.open();
      await city.signIn(page, city.agent(department, right));
      const views = await hrefs(page, /^\/agent(\?|\/envois|$)/);
      await checkAll(page, ['/agent', '/agent?q=zzzz', '/agent?q=martin', '/agent?vue=toutes&personne=martin&du=01%2F01%2F2026', '/agent?vue=toutes&demarche=acte-naissance&etat=submitted&choix-document=copie', '/agent?vue=toutes&tri=nom-desc&delai=orange', '/agent/envois', ...(right === 'reader' ? [] : ['/agent/organisations', '/agent/mandats', '/agent/statistiques?periode=30j', '/agent/retards']), ...views]);
      await checkAll(page, ['/agent?du=31%2F02%2F2026'], { status: 422 });
      await checkAll(page, ['/agent/vues', '/agent/vues?liste=vue%3Dtoutes']);
      if (right !== 'reader') await several(city, page);
      // One request of each state that the lists show.
      const states = new Map();
      for (const view of ['/agent', ...views.filter((href) => href.startsWith('/agent?'))].slice(0, 5)) {
        await city.go(page, view);
        for (const row of await page.locator('table.g-table tbody tr').all()) {
          const state = (await row.locator('.g-tag').innerText()).trim();
          if (!states.has(state)) states.set(state, await row.locator('th a').getAttribute('href'));
        }
      }
      assert.ok(states.size > 0, 'no request in any list');
      const actions = new Map();
      for (const request of states.values()) {
        await checkAll(page, [request]);
        if (actions.size === 0 && right !== 'reader') await checkAll(page, ['acces', 'dossier'].map((part) => `${request.split('?')[0]}/${part}`));
        const parts = await page.getByRole('navigation', { name: 'Parties du dossier' }).getByRole('link').evaluateAll(
          (links) => links.map((link) => link.getAttribute('href')));
        // The parts look the same whatever the state.
        if (actions.size === 0) await checkAll(page, parts.slice(1));
        await city.go(page, request);
        for (const href of await page.locator('.g-actions a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))) {
          if (href.includes('/actions/') || href.endsWith('/code') || /\/(confier|transmettre)$/.test(href.split('?')[0])) actions.set(href.split('/').at(-1).split('?')[0], href);
        }
      }
      await checkAll(page, [...actions.values()]);
      for (const action of ['ask', 'refuse', 'dismiss'].filter((name) => actions.has(name))) {
        await city.go(page, actions.get(action));
        for (const field of await page.locator('main textarea').all()) await field.fill('');
        await press(page, page.getByRole('button', { name: /^Confirmer/ }));
        await page.locator('.govuk-error-summary').waitFor();
        await city.checkPage(page);
      }
      await context.close();
    });
  }
});

describe('the counter', () => {
  test('accounts', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('education', 'processor'));
    await checkAll(page, ['/agent/comptes', '/agent/comptes/ouvrir']);
    await checkMistakes(page, '/agent/comptes/ouvrir', 'Ouvrir le compte');
    await page.getByLabel('Nom', { exact: true }).fill('Essai');
    await page.getByLabel('J’ai vérifié l’identité de cette personne').check();
    await page.getByLabel('Motif et pièce d’identité présentée').fill('Essai');
    await press(page, page.getByRole('button', { name: 'Ouvrir le compte' }));
    await page.getByRole('heading', { name: 'Activer le compte' }).waitFor();
    await city.checkPage(page);
    await context.close();
  });
});

describe('a request filed at the counter', () => {
  test('from the first question to the receipt', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('education', 'processor'));
    await checkAll(page, ['/agent/depots', '/agent/depots/nouveau', '/agent?vue=toutes&canal=courrier']);
    await page.setViewportSize({ width: 320, height: 640 });
    await checkMistakes(page, '/agent/depots/nouveau', 'Commencer');
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByLabel('Démarche').selectOption('inscription-scolaire');
    await page.getByLabel('Par courrier').check();
    await press(page, page.getByRole('button', { name: 'Commencer' }));
    const own = { date_entree: inDays(30), 'enfant.annee': '2021', derogation_motifs: ['fratrie', 'travail'] };
    await fillAll(page, own, await city.photo('livret.jpg'), async () => city.checkPage(page));
    await city.checkPage(page);
    const draft = place(page).replace('/verifier', '');
    await checkAll(page, ['/agent/depots', `${draft}/supprimer`, `${draft}/verifier`]);
    if (await page.locator('#declaration').count()) await page.locator('#declaration').check();
    await press(page, page.getByRole('button', { name: 'Déposer la demande' }));
    await page.getByRole('heading', { name: 'Demande déposée' }).waitFor();
    await city.checkPage(page);
    await press(page, page.getByRole('link', { name: 'Ouvrir le dossier' }));
    await city.checkPage(page);
    await context.close();
  });
});

describe('what an agent asks for themself', () => {
  test('from the list to the answer of a colleague', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent('voirie', 'processor'));
    const list = '/agent/interne/demarches';
    await checkAll(page, [list, '/agent/interne/demandes', '/agent/interne/demandes?q=zzzz', `${list}/remboursement-frais`]);
    await page.setViewportSize({ width: 320, height: 640 });
    await checkAll(page, [`${list}/demande-conge`]);
    await page.setViewportSize({ width: 1280, height: 900 });
    await press(page, page.getByRole('button', { name: 'Commencer' }));
    await checkMistakes(page, place(page), 'Enregistrer et continuer');
    await fillAll(page, { nature: 'autorisation', evenement: 'Mariage', fin: inDays(3), debut: inDays(2), jours: '1', accord: 'oui' }, await city.photo('livret.jpg'), async () => city.checkPage(page));
    await city.checkPage(page);
    const draft = place(page).replace('/verifier', '');
    await checkAll(page, ['/agent/interne/demandes', `${draft}/supprimer`, `${draft}/verifier`]);
    await press(page, page.getByRole('button', { name: 'Envoyer ma demande' }));
    await page.getByRole('heading', { name: 'Demande envoyée' }).waitFor();
    await city.checkPage(page);
    await press(page, page.getByRole('link', { name: 'Suivre ma demande' }));
    await city.checkPage(page);
    const mine = place(page);
    await checkMistakes(page, mine, 'Envoyer mon message');
    await checkAll(page, [`${mine}/annuler`, '/agent/interne/demandes']);
    await checkAll(page, [mine.replace('/interne', '')], { status: 403 });
    await context.close();
  });
});

describe('surveys', () => {
  test('from the question to the published results', async () => {
    const { page, context } = await city.open();
    const survey = '/enquetes/accueil-mairie';
    await checkAll(page, ['/enquetes', survey]);
    await page.setViewportSize({ width: 320, height: 640 });
    await checkMistakes(page, survey, 'Envoyer mes réponses');
    await page.getByLabel('Pour une question').check();
    await page.getByLabel('Quelle note donnez-vous').fill('4');
    await press(page, page.getByRole('button', { name: 'Envoyer mes réponses' }));
    await page.getByRole('heading', { name: 'Merci' }).waitFor();
    await city.checkPage(page);
    await context.close();
    const desk = await city.open();
    await city.signIn(desk.page, city.agent('relations-usagers', 'manager'));
    await checkAll(desk.page, ['/agent/enquetes', '/agent/enquetes/accueil-mairie']);
    await desk.context.close();
    // One that is over: its results may be told.
    const over = await city.open();
    await city.signIn(over.page, city.agent('voirie', 'manager'));
    await checkAll(over.page, ['/enquetes/trajets-velo', '/agent/enquetes/trajets-velo']);
    await press(over.page, over.page.getByRole('button', { name: 'Publier les résultats' }));
    await city.checkPage(over.page);
    await checkAll(over.page, ['/enquetes', '/enquetes/trajets-velo/resultats']);
    await over.context.close();
  });
});

describe('administrators', () => {
  test('pages of administrators', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent(undefined, 'administrator'));
    const home = '/agent/applications';
    await checkAll(page, [home, `${home}/ajouter`, '/agent/journal', '/agent/calendrier']);
    await checkAll(page, ['/agent/journal?jour=demain'], { status: 422 });
    await city.go(page, '/agent/calendrier');
    await page.getByLabel('Jours de fermeture').fill('demain');
    await press(page, page.getByRole('button', { name: 'Voir l’effet' }));
    await city.checkPage(page);
    await page.getByLabel('Jours de fermeture').fill('24/12/2026 Veille de Noël');
    await press(page, page.getByRole('button', { name: 'Voir l’effet' }));
    await page.getByText('Rien n’est encore enregistré').waitFor();
    await city.checkPage(page);
    await checkMistakes(page, `${home}/ajouter`, 'Ajouter l’application');
    await page.locator('#identifiant').fill('velos');
    await page.getByLabel('Nom', { exact: true }).fill('Vélos');
    await page.getByLabel('L’application utilise OpenID Connect').check();
    await page.getByLabel('Adresses de retour').fill('https://velos.exemple.fr/retour');
    await press(page, page.getByRole('button', { name: 'Ajouter l’application' }));
    await page.getByText('Ce secret ne sera plus affiché').waitFor();
    await city.checkPage(page);
    const sheet = `${home}/fiche/velos`;
    await checkAll(page, [home, sheet, `${sheet}/modifier`, `${sheet}/secret`, `${sheet}/retirer`]);
    await context.close();
  });
});

describe('who sees all figures, and who decides it', () => {
  test('departments side by side', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent(undefined, 'observer'));
    await checkAll(page, ['/agent/ensemble', '/agent/ensemble?par=demarche', '/agent/ensemble?periode=7j']);
    await context.close();
    const administrator = await city.open();
    await city.signIn(administrator.page, city.agent(undefined, 'administrator'));
    await checkAll(administrator.page, ['/agent/observateurs']);
    await checkMistakes(administrator.page, '/agent/observateurs', 'Donner ce droit');
    await administrator.context.close();
  });
});

describe('archivists', () => {
  test('what is over, a list of it, and what must stay', async () => {
    const { page, context } = await city.open();
    await city.signIn(page, city.agent(undefined, 'archivist'));
    const home = '/agent/archives';
    await checkAll(page, [home, `${home}/gels`]);
    await checkMistakes(page, `${home}/gels`, 'Geler la demande');
    await city.go(page, home);
    await press(page, page.getByRole('button', { name: /^Préparer le bordereau/ }).first());
    const list = new URL(page.url()).pathname;
    await city.checkPage(page);
    await checkMistakes(page, list, 'Retirer du bordereau');
    await checkMistakes(page, list, 'Noter le visa et éliminer');
    await checkAll(page, [home]);
    const today = new Date().toLocaleDateString('fr-FR', { timeZone: 'Europe/Paris' });
    await city.go(page, list);
    await page.getByLabel('Signé par').fill('La directrice des Archives départementales');
    await page.getByLabel('Numéro du visa').fill('2026-118');
    await page.getByLabel('Date du visa').fill(today);
    await page.getByLabel(/effacés pour toujours$/).check();
    await press(page, page.getByRole('button', { name: 'Noter le visa et éliminer' }));
    await city.checkPage(page);
    await page.getByText(/Éliminé le|éliminées? sur/).first().waitFor();
    await context.close();
  });
});

describe('other ways to look and to move', () => {
  test('in the dark, contrasts hold', async () => {
    const { page, context } = await city.open({ colorScheme: 'dark' });
    await checkAll(page, ['/', '/demarches', procedures[0], `${procedures[3]}/remplir`, '/suivre', '/connexion', '/aide']);
    await checkMistakes(page, '/demarches/acte-naissance/remplir', 'Enregistrer et continuer');
    await city.signIn(page, city.account('usager'));
    await checkAll(page, ['/mes-demandes', '/compte']);
    await city.go(page, '/mes-demandes');
    const [request] = await hrefs(page, /^\/demandes\/[0-9a-f-]+$/);
    if (request) await checkAll(page, [request]);
    await context.clearCookies();
    await city.signIn(page, city.agent('education', 'processor'));
    await city.checkPage(page);
    const [dossier] = await hrefs(page, /^\/agent\/demandes\//);
    await checkAll(page, [dossier]);
    await context.close();
  });

  // axe reads the colours of the sheet, which the system replaces: what must hold is that controls
  // keep an outline when their background goes.
  test('with forced colours, controls keep their outline', async () => {
    const { page, context } = await city.open({ forcedColors: 'active' });
    for (const address of ['/', '/demarches/acte-naissance/remplir', '/suivre', '/connexion']) {
      await city.go(page, address);
      const bare = await page.locator('.govuk-button, .govuk-input, .govuk-select, .govuk-textarea').evaluateAll((all) => all
        .filter((one) => one.checkVisibility() && parseFloat(getComputedStyle(one).borderTopWidth) === 0)
        .map((one) => one.outerHTML.slice(0, 100)));
      assert.deepEqual(bare, [], address);
    }
    await context.close();
  });

  test('the keyboard reaches every control of a page of questions, in its order', async () => {
    const { page, context } = await city.open();
    await city.go(page, '/demarches/acte-naissance/remplir');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Aller au contenu');
    assert.ok(await page.locator('.govuk-skip-link').evaluate((link) => link.getBoundingClientRect().height > 10), 'the skip link shows itself');
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).hash, '#contenu');
    // A group of radio buttons is one stop of the Tab key, on its first button.
    const expected = await page.evaluate(() => {
      const seen = new Set();
      return [...document.querySelectorAll('main a[href], main input:not([type=hidden]), main select, main textarea, main button, main summary')]
        .filter((one) => one.checkVisibility() && (one.type !== 'radio' || (!seen.has(one.name) && seen.add(one.name))))
        .map((one) => one.id || one.textContent.trim());
    });
    const met = [];
    for (let turn = 0; turn < expected.length; turn += 1) {
      await page.keyboard.press('Tab');
      met.push(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim()));
      assert.ok(await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        const label = document.activeElement.labels?.[0];
        const shown = [style, label && getComputedStyle(label, '::before')].filter(Boolean);
        return shown.some((one) => one.outlineStyle !== 'none' || one.boxShadow !== 'none');
      }), `the focus on ${met.at(-1)} can be seen`);
    }
    assert.deepEqual(met, expected);
    await page.locator('input[type=radio]').first().focus();
    await page.keyboard.press('Space');
    assert.ok(await page.locator('input[type=radio]').first().isChecked());
    await context.close();
  });
});
