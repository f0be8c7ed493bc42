#!/bin/sh
# Ends as certlet does: 0 all as wanted, 2 something is not, 3 no answer from Vault (certlet(8)).
set -- --sync
[ -z "${PT_certificate-}" ] || set -- "$@" "$PT_certificate"
[ "${PT_force-}" != true ] || set -- "$@" --force
[ "${PT__noop-}" != true ] || set -- "$@" --dry-run
exec /usr/sbin/certlet "$@" 2>&1
