#!/bin/sh
# Runs a command of tokenpair with the settings of the unit. Run it as root, who can read them. docs/deploying.md installs it.
set -eu
set -a
. /etc/tokenpair/tokenpair.env
set +a
export TOKENPAIR_SIGNING_KEY_FILE="${TOKENPAIR_SIGNING_KEY_FILE:-/etc/tokenpair/signing.key}"
exec /usr/bin/node /opt/tokenpair/node_modules/tokenpair/dist/cli/main.js "$@"
