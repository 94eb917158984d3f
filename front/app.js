// Enhancements only: every page works without this module.
// The address of govuk-frontend comes from the page, because its name holds a hash.

/** French words of the widgets that govuk-frontend draws itself. */
const WORDS = {
  characterCount: {
    i18n: {
      charactersUnderLimit: {one: 'Il vous reste %{count} caractère', other: 'Il vous reste %{count} caractères'},
      charactersAtLimit: 'Il ne vous reste aucun caractère',
      charactersOverLimit: {one: 'Vous avez %{count} caractère de trop', other: 'Vous avez %{count} caractères de trop'},
    },
  },
  passwordInput: {
    i18n: {
      showPassword: 'Afficher',
      hidePassword: 'Masquer',
      showPasswordAriaLabel: 'Afficher le mot de passe',
      hidePasswordAriaLabel: 'Masquer le mot de passe',
      passwordShownAnnouncement: 'Votre mot de passe est visible',
      passwordHiddenAnnouncement: 'Votre mot de passe est masqué',
    },
  },
};

async function govuk() {
  const source = document.querySelector('script[data-govuk]')?.dataset.govuk;
  if (!source) return;
  document.body.classList.add('govuk-frontend-supported');
  const {initAll} = await import(source);
  initAll(WORDS);
}

/** One sending per form: a second click or Enter within the same page is dropped. */
function guardDoubleSubmit() {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method.toLowerCase() !== 'post') return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'true';
    event.submitter?.classList.add('is-busy');
  });
  // A page taken back from the browser's cache can be sent again.
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
    for (const button of document.querySelectorAll('.is-busy')) button.classList.remove('is-busy');
  });
}

const mo = (bytes) => (bytes / 1_000_000).toLocaleString('fr-FR', {maximumFractionDigits: 1});

/**
 * Size said before sending, and a sign that a file is travelling. The browser sends the form itself:
 * sending it by script would swallow the redirection and the message that comes with it.
 */
function uploads() {
  for (const form of document.querySelectorAll('form[data-upload]')) {
    const input = form.querySelector('input[type=file]');
    const status = form.querySelector('[data-upload-status]');
    if (!input || !status) continue;
    const limit = Number(form.dataset.upload);
    const tooBig = () => [...input.files].find((file) => limit && file.size > limit);
    const say = (text) => {
      status.hidden = false;
      status.textContent = text;
    };
    input.addEventListener('change', () => {
      const big = tooBig();
      if (big) say(`« ${big.name} » pèse ${mo(big.size)} Mo : la limite est de ${mo(limit)} Mo.`);
      else status.hidden = true;
    });
    form.addEventListener('submit', (event) => {
      if (tooBig()) {
        event.preventDefault();
        input.focus();
      } else if (input.files.length && !form.dataset.sent) {
        say('Envoi en cours… Ne fermez pas cette page.');
        status.after(Object.assign(document.createElement('progress'), {className: 'g-progress', ariaLabel: 'Envoi en cours'}));
      }
    });
  }
}

/** Answer of /adresse: where each of its parts goes, by the data-…-id of the typed field. */
const ADDRESS_PARTS = {code_postal: 'postcodeId', commune: 'cityId', ban_id: 'banId', code_insee: 'inseeId'};

/** Suggestions under an address field: [{label, numero_voie, code_postal, commune, ban_id, code_insee}]. */
function addresses() {
  for (const input of document.querySelectorAll('input[data-address-suggest]')) {
    const list = document.createElement('datalist');
    list.id = `${input.id}-suggestions`;
    input.after(list);
    input.setAttribute('list', list.id);
    let known = new Map();
    let timer = 0;
    let running;
    const put = (part, value) => {
      const other = document.getElementById(input.dataset[ADDRESS_PARTS[part]] ?? '');
      if (other) other.value = value ?? '';
    };
    const take = (found) => {
      input.value = found.numero_voie;
      for (const part of Object.keys(ADDRESS_PARTS)) put(part, found[part]);
      list.replaceChildren();
    };
    const ask = async () => {
      running?.abort();
      running = new AbortController();
      try {
        const url = `${input.dataset.addressSuggest || '/adresse'}?q=${encodeURIComponent(input.value.trim())}`;
        const answer = await fetch(url, {signal: running.signal, headers: {accept: 'application/json'}});
        if (!answer.ok) return;
        const found = await answer.json();
        known = new Map(found.map((one) => [one.label, one]));
        list.replaceChildren(...found.map((one) => Object.assign(document.createElement('option'), {value: one.label})));
      } catch {
        // No suggestion: the field is typed as usual.
      }
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      const chosen = known.get(input.value);
      if (chosen) {
        take(chosen);
        return;
      }
      // Typed by hand: the identifiers of the last suggestion no longer hold.
      put('ban_id', '');
      put('code_insee', '');
      if (input.value.trim().length >= 3) timer = setTimeout(ask, 250);
    });
  }
}

/** « Imprimer » and « Copier » exist only where they can work. */
function buttons() {
  for (const button of document.querySelectorAll('button[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }
  for (const button of document.querySelectorAll('button[data-fill]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      const field = document.getElementById(button.dataset.fill);
      field.value = button.dataset.text;
      field.focus();
    });
  }
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = 'Copié';
    });
  }
}

const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** The salt of each key, by its id, as the extension « prf » of WebAuthn wants them. */
function derivation(salts) {
  const each = Object.entries(salts).map(([id, salt]) => [id, {first: fromBase64(salt)}]);
  return {evalByCredential: Object.fromEntries(each)};
}

/** The answer of the device to what the form asks, as JSON. */
async function passkeyAnswer(form) {
  const {passkey, passkeyOptions, passkeyChallenge} = form.dataset;
  if (passkey === 'create') {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(passkeyOptions));
    return (await navigator.credentials.create({publicKey})).toJSON();
  }
  const asked = await fetch(passkeyChallenge, {method: 'POST', headers: {accept: 'application/json'}});
  if (!asked.ok) throw new Error(`challenge: ${asked.status}`);
  if (asked.redirected) {
    // The session or the documents closed meanwhile: where they open.
    location.assign(asked.url);
    return new Promise(() => {});
  }
  const {options, cle, sels} = await asked.json();
  form.elements.cle.value = cle;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  if (passkey !== 'prf') return (await navigator.credentials.get({publicKey})).toJSON();
  publicKey.extensions = {...publicKey.extensions, prf: derivation(sels)};
  const answer = await navigator.credentials.get({publicKey});
  const secret = answer.getClientExtensionResults().prf?.results?.first;
  form.elements.secret.value = secret ? toBase64(secret) : '';
  // The secret goes once, in its own field.
  return {...answer.toJSON(), clientExtensionResults: {}};
}

/** Whether the browser lets passkeys derive secrets; one that cannot tell is tried. */
async function derives() {
  try {
    return (await PublicKeyCredential.getClientCapabilities())['extension:prf'] !== false;
  } catch {
    return true;
  }
}

/** Shows the forms that this browser can use. */
async function showPasskeys(forms) {
  const able = forms.some((form) => form.dataset.passkey === 'prf') && await derives();
  const usable = (kind) => kind !== 'prf' || able;
  for (const form of forms) form.hidden = !usable(form.dataset.passkey);
  for (const text of document.querySelectorAll('[data-passkey-missing]')) text.hidden = usable(text.dataset.passkeyMissing);
}

/** Passkeys, where the browser knows them: the device answers, then an ordinary form carries the answer. */
function passkeys() {
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return;
  const forms = [...document.querySelectorAll('form[data-passkey]')];
  for (const form of forms) {
    const status = form.querySelector('[data-passkey-status]');
    const other = form.dataset.passkey === 'prf' ? 'ouvrez vos documents autrement' : 'utilisez votre mot de passe';
    let asking = false;
    form.addEventListener('submit', async (event) => {
      if (form.elements.reponse.value) return;
      event.preventDefault();
      if (asking) return;
      asking = true;
      status.hidden = true;
      try {
        form.elements.reponse.value = JSON.stringify(await passkeyAnswer(form));
        form.requestSubmit();
      } catch {
        status.textContent = `Votre appareil n’a pas donné de clé d’accès. Réessayez, ou ${other}.`;
        status.hidden = false;
      }
      asking = false;
    });
  }
  // A page taken back from the browser's cache asks anew.
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    for (const form of forms) {
      form.elements.reponse.value = '';
      if (form.elements.secret) form.elements.secret.value = '';
    }
  });
  showPasskeys(forms);
}

/**
 * Requests found while an agent types. The box stays an ordinary form: what is found is a list of links after it,
 * announced as a status, reached with the arrows or the tab key, closed with Escape.
 */
function quickSearch() {
  const form = document.querySelector('form[data-quick]');
  const input = form?.querySelector('input[type=search]');
  if (!input) return;
  const found = Object.assign(document.createElement('div'), {className: 'g-quick__found', hidden: true});
  const status = Object.assign(document.createElement('p'), {className: 'govuk-visually-hidden'});
  status.setAttribute('role', 'status');
  form.append(found, status);
  let timer = 0;
  let running;
  const close = () => {
    clearTimeout(timer);
    running?.abort();
    found.hidden = true;
    found.replaceChildren();
    status.textContent = '';
  };
  const ask = (text) => {
    running?.abort();
    // Trusted Types let no script parse HTML: the browser does, of a whole answer.
    const request = new XMLHttpRequest();
    running = request;
    request.open('GET', `${form.dataset.quick}?q=${encodeURIComponent(text)}`);
    request.responseType = 'document';
    request.addEventListener('load', () => {
      const page = request.responseXML;
      const told = page?.querySelector('.g-quick__told');
      // Too many, or signed out meanwhile: the form still sends.
      if (request.status !== 200 || !told) {
        close();
        return;
      }
      status.textContent = told.textContent;
      found.replaceChildren(...page.body.childNodes);
      found.hidden = false;
    });
    request.addEventListener('error', close);
    request.send();
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    const text = input.value.trim();
    if (text.length < 3) close();
    else timer = setTimeout(() => ask(text), 300);
  });
  form.addEventListener('keydown', (event) => {
    if (found.hidden) return;
    const links = [...found.querySelectorAll('a')];
    const here = links.indexOf(document.activeElement);
    if (event.key === 'Escape') {
      event.preventDefault();
      close();
      input.focus();
    } else if (event.key === 'ArrowDown' && (here >= 0 || document.activeElement === input) && links[here + 1]) {
      event.preventDefault();
      links[here + 1].focus();
    } else if (event.key === 'ArrowUp' && here >= 0) {
      event.preventDefault();
      (links[here - 1] ?? input).focus();
    }
  });
  form.addEventListener('submit', close);
  form.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) close();
  });
  document.addEventListener('click', (event) => {
    if (!form.contains(event.target)) close();
  });
}

/** How long between two looks at who else is at work on a request, in milliseconds. */
const LOOK_EVERY = 25_000;

/** Who else is at work on this request, asked again while the page is in sight; told when it changes. */
function presence() {
  for (const box of document.querySelectorAll('[data-presence]')) {
    let timer = 0;
    let looked = Date.now();
    let over = false;
    const wait = () => {
      clearTimeout(timer);
      const left = Math.max(0, looked + LOOK_EVERY - Date.now());
      if (!over && document.visibilityState === 'visible') timer = setTimeout(look, left);
    };
    const look = () => {
      looked = Date.now();
      // As in the search box: the browser parses, no script does.
      const request = new XMLHttpRequest();
      request.open('GET', box.dataset.presence);
      request.responseType = 'document';
      request.addEventListener('load', () => {
        const now = request.responseXML?.querySelector('.g-presence__now');
        // Signed out meanwhile, or out of reach: the page stays as it is.
        over = request.status !== 200 || !now;
        if (!over && now.textContent.trim() !== box.textContent.trim()) box.replaceChildren(now);
        wait();
      });
      request.addEventListener('error', () => { over = true; });
      request.send();
    };
    document.addEventListener('visibilitychange', wait);
    wait();
  }
}

uploads();
passkeys();
presence();
guardDoubleSubmit();
addresses();
quickSearch();
buttons();
await govuk();
