// Classic script in <head>: says that scripts run before the first paint, so that nothing jumps.
document.documentElement.classList.add('js-enabled');
if ('noModule' in HTMLScriptElement.prototype) document.documentElement.classList.add('govuk-frontend-supported');
