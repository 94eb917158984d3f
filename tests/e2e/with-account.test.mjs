// A parent enrols a child at school with documents; the department answers; both see each step.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { fill, fillAll, inDays, place, press } from './answers.mjs';
import { start } from './lib.mjs';

let city;
before(async () => { city = await start(); });
after(() => city?.stop());

const CHILD = {
  annee_scolaire: 'a2026', situation: 'arrivee', date_entree: inDays(30),
  'enfant.nom_naissance': 'Martin', 'enfant.prenoms': 'Léonie', 'enfant.annee': '2019', derogation: 'non', autre_responsable: 'non',
};

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  const check = (page) => javaScriptEnabled && city.checkPage(page);

  describe(`a child enrolled at school, ${way}`, () => {
    let usager, agent, photos, draft, reference, request;
    before(async () => {
      photos = [await city.photo('livret-1.jpg'), await city.photo('livret-2.jpg')];
      usager = await city.open({ javaScriptEnabled });
      agent = await city.open({ javaScriptEnabled });
      await city.signIn(usager.page, city.account('usager'));
    });
    after(async () => { await usager?.context.close(); await agent?.context.close(); });

    test('the account\'s name and address are already there', async () => {
      const { page } = usager;
      await city.go(page, '/demarches/inscription-scolaire');
      await press(page, page.getByRole('main').getByRole('link', { name: /Commencer/ }).first());
      for (let turn = 0; turn < 9 && !/\/vous$/.test(place(page)); turn += 1) await fill(page, CHILD);
      assert.match(await page.getByLabel('Nom de naissance').first().inputValue(), /Martin/);
      assert.equal(await page.getByLabel('Quelle est votre adresse électronique ?').inputValue(), 'camille.martin@exemple.fr');
      await check(page);
    });

    test('is left for later, and taken up where it was', async () => {
      const { page } = usager;
      await page.getByLabel('Numéro et voie').fill('3 quai du Lys');
      draft = place(page);
      await press(page, page.getByRole('button', { name: 'Enregistrer et reprendre plus tard' }));
      await page.getByRole('heading', { level: 1, name: 'Vos réponses sont enregistrées' }).waitFor();
      await check(page);
      await city.go(page, '/mes-demandes');
      await check(page);
      await city.go(page, draft);
      assert.equal(await page.getByLabel('Numéro et voie').inputValue(), '3 quai du Lys');
      for (let turn = 0; turn < 9 && !place(page).includes('/pieces/'); turn += 1) await fill(page, CHILD);
    });

    test('joins several photographs of one document, and removes one', async () => {
      const { page } = usager;
      await press(page, page.getByRole('button', { name: 'Envoyer ce fichier' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      for (const photo of photos) {
        await page.getByLabel(/Votre fichier ou votre photo|Ajouter un autre fichier/).setInputFiles(photo);
        await press(page, page.getByRole('button', { name: 'Envoyer ce fichier' }));
        await page.getByText(photo.name).first().waitFor();
      }
      await check(page);
      assert.equal(await page.locator('.g-files li').count(), 2);
      await press(page, page.getByRole('button', { name: 'Retirer livret-2.jpg' }));
      await page.getByText('livret-2.jpg').waitFor({ state: 'detached' });
      await page.getByLabel('Ajouter un autre fichier').setInputFiles(photos[1]);
      await press(page, page.getByRole('button', { name: 'Envoyer ce fichier' }));
      await page.getByText('livret-2.jpg').first().waitFor();
      await press(page, page.getByRole('button', { name: 'Continuer' }));
    });

    test('refuses what is no document', async () => {
      const { page } = usager;
      await page.locator('input[type=file]').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture at all') });
      await press(page, page.getByRole('button', { name: 'Envoyer ce fichier' }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
    });

    test('is checked and sent', async () => {
      const { page } = usager;
      await fillAll(page, CHILD, await city.photo('carte.jpg'));
      await check(page);
      await page.getByLabel(/Je certifie/).check();
      await press(page, page.getByRole('button', { name: 'Envoyer ma demande' }));
      await page.getByRole('heading', { level: 1, name: 'Demande envoyée' }).waitFor();
      await check(page);
      reference = (await page.locator('.g-ref').first().innerText()).trim();
      assert.equal(await page.locator('.g-code').count(), 0, 'no code for who has an account');
      await press(page, page.getByRole('link', { name: 'Suivre ma demande' }));
      request = place(page);
      await check(page);
    });

    test('is found by the department, and nobody else', async () => {
      const { page } = agent;
      const other = await city.open({ javaScriptEnabled });
      await city.signIn(other.page, city.agent('voirie', 'processor'));
      await city.go(other.page, `/agent${request}`, 404);
      await city.go(other.page, `/agent?q=${encodeURIComponent(reference)}`);
      assert.equal(await other.page.locator('table.g-table tbody tr').count(), 0);
      await other.context.close();

      await city.signIn(page, city.agent('education', 'processor'));
      await check(page);
      await page.getByLabel('Démarche').selectOption({ label: 'Inscrire un enfant à l’école' });
      await press(page, page.getByRole('button', { name: 'Filtrer' }));
      await check(page);
      const rows = page.locator('table.g-table tbody tr');
      assert.ok((await rows.count()) > 0);
      for (const text of await rows.allInnerTexts()) assert.match(text, /Inscrire un enfant à l.école/);
      await page.getByRole('searchbox').fill(reference);
      await page.getByRole('searchbox').press('Enter');
      await press(page, page.getByRole('link', { name: reference }));
      await page.getByRole('heading', { level: 1, name: 'Inscrire un enfant à l’école' }).waitFor();
      assert.match(await page.getByRole('main').innerText(), /Léonie/);
      await check(page);
    });

    test('is taken charge of', async () => {
      const { page } = agent;
      await press(page, page.getByRole('link', { name: 'Prendre en charge', exact: true })
        .or(page.getByRole('button', { name: 'Prendre en charge', exact: true })).first());
      await check(page);
      const confirm = page.getByRole('button', { name: /^Confirmer/ });
      if (await confirm.count()) await press(page, confirm);
      await page.getByText('En cours d’instruction').first().waitFor();
      await check(page);
    });

    test('has its documents, for the department only', async () => {
      const { page } = agent;
      await press(page, page.getByRole('navigation', { name: 'Parties du dossier' }).getByRole('link', { name: /Pièces/ }));
      const file = page.getByRole('link', { name: 'livret-1.jpg' });
      const href = await file.getAttribute('href');
      const answer = await agent.context.request.get(href);
      assert.equal(answer.status(), 200);
      assert.equal(answer.headers()['content-type'], 'image/jpeg');
      await check(page);
      const stranger = await city.open();
      const refused = await stranger.context.request.get(href, { maxRedirects: 0 });
      assert.notEqual(refused.status(), 200);
      await stranger.context.close();
    });

    test('lacks a document: the agent asks for it', async () => {
      const { page } = agent;
      await press(page, page.getByRole('link', { name: 'Demander une pièce ou une correction' }));
      await check(page);
      await press(page, page.getByRole('button', { name: /^Confirmer/ }));
      await page.locator('.govuk-error-summary').waitFor();
      await check(page);
      await page.getByLabel('Justificatif de domicile').check();
      await page.getByLabel(/Ce que vous demandez/).fill('La facture est coupée : photographiez-la en entier.');
      await press(page, page.getByRole('button', { name: /^Confirmer/ }));
      await page.getByText('En attente de l’usager').first().waitFor();
      await check(page);
    });

    test('the usager is told, and supplies it', async () => {
      const { page } = usager;
      await city.go(page, '/mes-demandes');
      await page.getByRole('heading', { name: 'Action attendue de votre part' }).waitFor();
      await check(page);
      await city.go(page, request);
      assert.match(await page.getByRole('main').innerText(), /La facture est coupée/);
      await check(page);
      await press(page, page.getByRole('main').getByRole('link', { name: 'Justificatif de domicile' }).first());
      await check(page);
      await page.locator('input[type=file]').setInputFiles(await city.photo('facture-entiere.jpg'));
      await press(page, page.getByRole('button', { name: 'Envoyer ce fichier' }));
      await page.getByText('facture-entiere.jpg').first().waitFor();
      await check(page);
      await press(page, page.getByRole('button', { name: 'Continuer' }));
      if (!place(page).endsWith('/verifier')) await city.go(page, `${request}/repondre`);
      await check(page);
      await press(page, page.getByRole('button', { name: 'Envoyer mes modifications' }));
      await page.waitForURL((url) => url.pathname === request);
      assert.match(await page.getByRole('main').innerText(), /En cours de traitement/);
      await check(page);
    });

    test('is accepted by who may decide', async () => {
      const { page, context } = await city.open({ javaScriptEnabled });
      await city.signIn(page, city.agent('education', 'decider'));
      await city.go(page, `/agent${request}`);
      await press(page, page.getByRole('link', { name: 'Accepter', exact: true }));
      await check(page);
      await page.getByLabel(/Texte de la décision/).fill('Léonie est inscrite à l’école Joliot-Curie, en CP.');
      await press(page, page.getByRole('button', { name: /^Confirmer/ }));
      await page.getByText('Acceptée, à remettre').first().waitFor();
      await check(page);
      await context.close();
    });

    test('the usager reads the decision', async () => {
      const { page } = usager;
      await city.go(page, request);
      await page.getByRole('heading', { name: 'Votre demande est acceptée' }).waitFor();
      assert.match(await page.getByRole('main').innerText(), /école Joliot-Curie/);
      await check(page);
    });

    test('each step sent a mail that tells nothing private', async () => {
      const { page } = usager;
      const subject = new RegExp(reference);
      // Received, taken charge of, asked, decided.
      const sent = await city.mails(page, 'camille.martin@exemple.fr', subject, 4);
      await check(page);
      await city.go(page, sent[0]);
      await check(page);
      const text = await page.getByRole('main').innerText();
      assert.doesNotMatch(text, /Joliot-Curie|Léonie|facture est coupée/);
    });
  });
}
