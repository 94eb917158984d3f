// Answers a page of questions as a usager would, whatever the procedure asks.

// Dates are always later than any « at least … days » and earlier than any « at most … months ».
export function inDays(days, from = new Date()) {
  const day = new Date(from.getFullYear(), from.getMonth(), from.getDate() + days);
  return { jour: String(day.getDate()), mois: String(day.getMonth() + 1), annee: String(day.getFullYear()) };
}

// By the last part of the control's name.
const USUAL = {
  nom_naissance: 'Lefèvre', nom_usage: '', prenoms: 'Aurélie Jeanne', lieu: 'Valmont', departement: '', pays: 'France',
  numero_voie: '12 rue Pauline-Kergomard', complement: '', lieu_dit: '', code_postal: '96000', commune: 'Valmont',
  jour: '14', mois: '3', annee: '1988',
  iban: 'FR76 3000 6000 0112 3456 7890 189', siret: '732 829 320 00074', entreprise_siret: '732 829 320 00074',
  entreprise: '732 829 320 00074', societe: '732 829 320 00074',
};

// Fills every control of the page's own form that holds nothing yet; `own` says otherwise, by the
// control's name or its end: a text, an option's value, true or false for a checkbox, or a whole date.
export async function answer(page, own = {}) {
  const told = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [part, text] of Object.entries(value)) told[`${name}.${part}`] = text;
    } else {
      told[name] = value;
    }
  }
  await page.evaluate(({ told, usual }) => {
    const form = document.querySelector('main form[method=post]');
    const last = (name) => name.split('.').at(-1);
    // « enfants.0.debut.jour » may be told whole, as « debut.jour » or as « jour ».
    const wanted = (name) => name.split('.').map((_, index, parts) => told[parts.slice(index).join('.')]).find((found) => found !== undefined);
    const groups = new Map();
    for (const control of form.elements) {
      if (!control.name || control.type === 'hidden' || control.tagName === 'BUTTON' || control.type === 'file') continue;
      const own = wanted(control.name);
      if (control.type === 'radio' || control.type === 'checkbox') {
        groups.set(control.name, [...(groups.get(control.name) ?? []), control]);
      } else if (own !== undefined) {
        control.value = own;
      } else if (!control.value) {
        const text = control.type === 'email' ? 'aurelie.lefevre@exemple.fr'
          : control.type === 'tel' ? '06 39 98 12 34'
          : control.tagName === 'TEXTAREA' ? 'Bonjour,\nvoici ce que je souhaite préciser.'
          : control.inputMode === 'numeric' ? '2'
          : control.inputMode === 'decimal' ? '850'
          : 'Réponse libre';
        control.value = usual[last(control.name)] ?? text;
      }
    }
    for (const [name, controls] of groups) {
      const own = wanted(name);
      const values = own === undefined ? null : [own].flat().map(String);
      if (controls[0].type === 'radio') {
        const chosen = controls.find((one) => values ? values.includes(one.value) : one.checked) ?? controls[0];
        chosen.checked = true;
      } else if (values) {
        for (const one of controls) one.checked = values.includes(one.value) || own === true;
      } else if (!controls.some((one) => one.checked) && controls.length > 1) {
        controls[0].checked = true;
      }
    }
  }, { told, usual: USUAL });
}

// The address without what changes: what tells one page of a journey from the next.
export const place = (page) => new URL(page.url()).pathname;

// Clicks what leads to another page (or the same one, drawn again), and waits until it is there.
export async function press(page, button) {
  await Promise.all([page.waitForEvent('domcontentloaded'), button.click()]);
}

// Goes on from a page of questions; questions that an answer brings are answered too.
// `met(page)` is called for each page as it is shown.
export async function fill(page, own = {}, met = async () => {}) {
  const first = place(page);
  for (let turn = 0; turn < 6; turn += 1) {
    await met(page);
    await answer(page, own);
    await press(page, page.getByRole('button', { name: 'Enregistrer et continuer' }));
    if (place(page) !== first) return;
  }
  const wrong = await page.locator('.govuk-error-summary li').allInnerTexts();
  throw new Error(`${page.url()} cannot be passed: ${wrong.join(' ; ') || 'no error shown'}`);
}

// Fills the whole journey up to the check page; uploads `file` where a piece is asked for.
export async function fillAll(page, own, file, met = async () => {}) {
  for (let turn = 0; turn < 40; turn += 1) {
    if (place(page).endsWith('/verifier')) return;
    if (place(page).includes('/pieces/')) {
      await met(page);
      const here = place(page);
      if (await page.locator('input[type=file]').count() && !(await page.locator('.g-files li').count())) {
        await page.locator('input[type=file]').setInputFiles(file);
        await press(page, page.getByRole('button', { name: 'Envoyer ce fichier' }));
        await met(page);
      }
      await press(page, page.getByRole('button', { name: /^(Continuer|Je n’ai pas ce document)$/ }));
      if (place(page) === here) throw new Error(`${here} cannot be passed`);
    } else {
      await fill(page, own, met);
    }
  }
  throw new Error(`${page.url()}: the journey does not end`);
}
