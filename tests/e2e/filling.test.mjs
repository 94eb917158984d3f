// Whole procedures, each question page checked: those with every kind of field, repeated groups,
// documents and computed values. Each begins with a page sent empty.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { fillAll, inDays, press } from './answers.mjs';
import { start } from './lib.mjs';

// What the usual answers would get wrong.
const PROCEDURES = {
  'accueil-periscolaire': { debut: inDays(30), 'enfant.annee': '2018', pai_date: inDays(200), autorisee_naissance: inDays(-14 * 365) },
  'debit-boissons-temporaire': { boissons: 'fermentees', lieu_type: 'salle', rna: 'W963001234', 'jours.0.jour': inDays(60), ouverture: '18h00', fermeture: '23h30' },
  encombrants: { date_souhaitee: inDays(20) },
  'inscription-listes-electorales': {},
  'inscription-scolaire': { date_entree: inDays(30), 'enfant.annee': '2021', derogation_motifs: ['fratrie', 'travail'] },
  'operation-tranquillite-vacances': { debut: inDays(20), fin: inDays(30), visite_debut: inDays(21), visite_fin: inDays(23) },
  'stationnement-demenagement': { debut: inDays(40), fin: inDays(41), longueur: '12', immatriculation: 'AB-123-CD' },
};

describe('whole procedures', () => {
  let city, page, photo;
  before(async () => {
    city = await start();
    photo = await city.photo();
    ({ page } = await city.open());
    await city.signIn(page, city.account('usager'));
  });
  after(() => city?.stop());

  for (const [id, own] of Object.entries(PROCEDURES)) {
    test(id, async () => {
      const wrong = new Set();
      const met = async () => {
        try {
          await city.checkPage(page);
        } catch (error) {
          wrong.add(`${await page.title()}: ${error.message}`);
        }
      };
      await city.go(page, `/demarches/${id}/remplir`);
      await press(page, page.getByRole('button', { name: 'Enregistrer et continuer' }));
      await page.locator('.govuk-error-summary').waitFor();
      await met();
      await city.go(page, `/demarches/${id}/remplir`);
      await fillAll(page, own, photo, met);
      await met();
      await press(page, page.getByRole('button', { name: 'Envoyer ma demande' }));
      await met();
      assert.equal(wrong.size, 0, [...wrong].join('\n'));
    });
  }
});
