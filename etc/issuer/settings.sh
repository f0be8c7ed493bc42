# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Part of certlet-issue: what issuer.conf says. It is read line by line and never run; values are taken as they stand.

NAME_SERVERS=''
DNS_SERVER=127.0.0.1
PARENTS=''
ACME_KEY_FILE=/etc/bind/certlet-acme.key
ZONE_LIST=/etc/bind/certlet-zones.conf
ZONE_DIRECTORY=/var/lib/bind
CERTBOT_CREDENTIALS=/etc/certlet/rfc2136.ini
PROPAGATION_SECONDS=0
WAIT_SECONDS=3600
ACME_SERVER=https://acme-v02.api.letsencrypt.org/directory
ACME_STAGING_SERVER=https://acme-staging-v02.api.letsencrypt.org/directory
ACME_CA_FILE=''
ACME_EMAIL=''
KV_MOUNT=secret
BACKUP_CERTIFICATE=''

is_host_name() {
	# grep alone is content when one of several lines is right.
	case $1 in *[!a-z0-9_.-]*) return 1 ;; esac
	printf %s "$1" | grep -Eqx '([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]' && [ ${#1} -le 236 ]
}

# NAME,...: each a host name, or the wildcard of one
are_names() {
	case ,$1, in *[!a-z0-9_.,*-]* | *,,*) return 1 ;; esac
	# The plus stands for the asterisk, which the shell would take for file names.
	for one in $(printf %s "$1" | tr ',*' ' +'); do
		is_host_name "${one#+.}" || return 1
	done
}

# is_among DOMAIN NAMES: certlet-publish judges it by the name that it is published as.
is_among() {
	case $1 in _wildcard.*) set -- "*.${1#_wildcard.}" "$2" ;; esac
	case ,$2, in *",$1,"* | *",*.${1#*.},"*) ;; *) return 1 ;; esac
}

is_address() {
	printf %s "$1" | grep -Eqx '[0-9.]+|[0-9a-fA-F.:]*:[0-9a-fA-F.:]*'
}

are_host_names() {
	[ -n "$1" ] || return 1
	for one in $1; do
		is_host_name "${one%.}" || return 1
	done
}

is_number() {
	printf %s "$1" | grep -Eqx '[0-9]{1,6}'
}

is_path() {
	printf %s "$1" | grep -Eqx '/[^[:space:]"]*'
}

is_url() {
	printf %s "$1" | grep -Eqx 'https://[^[:space:]]+'
}

# ZONE SERVER KEYFILE
is_parent() {
	# shellcheck disable=SC2086 # three words
	set -- $1
	[ $# = 3 ] && is_host_name "${1%.}" && is_address "$2" && is_path "$3"
}

# setting KEY VALUE: 0 taken, 1 unknown key, 2 wrong value, with $expected
setting() {
	case $1 in
	NAME_SERVERS) expected='host names' && are_host_names "$2" && NAME_SERVERS=$2 ;;
	DNS_SERVER) expected='an IP address' && is_address "$2" && DNS_SERVER=$2 ;;
	PARENT)
		expected='ZONE ADDRESS KEYFILE, or nothing' && { [ -z "$2" ] || is_parent "$2"; } && PARENTS="$PARENTS${2:+$2
}" ;;
	ACME_KEY_FILE) expected='a path' && is_path "$2" && ACME_KEY_FILE=$2 ;;
	ZONE_LIST) expected='a path' && is_path "$2" && ZONE_LIST=$2 ;;
	ZONE_DIRECTORY) expected='a path' && is_path "$2" && ZONE_DIRECTORY=$2 ;;
	CERTBOT_CREDENTIALS) expected='a path' && is_path "$2" && CERTBOT_CREDENTIALS=$2 ;;
	PROPAGATION_SECONDS) expected='a number' && is_number "$2" && PROPAGATION_SECONDS=$2 ;;
	WAIT_SECONDS) expected='a number' && is_number "$2" && WAIT_SECONDS=$2 ;;
	ACME_SERVER) expected='an https URL' && is_url "$2" && ACME_SERVER=$2 ;;
	ACME_STAGING_SERVER) expected='an https URL' && is_url "$2" && ACME_STAGING_SERVER=$2 ;;
	ACME_CA_FILE) expected='a path, or nothing' && { [ -z "$2" ] || is_path "$2"; } && ACME_CA_FILE=$2 ;;
	ACME_EMAIL) expected='an address, or nothing' && ACME_EMAIL=$2 ;;
	KV_MOUNT) expected='the name of a mount' && [ -n "$2" ] && KV_MOUNT=$2 ;;
	BACKUP_CERTIFICATE) expected='a path, or nothing' && { [ -z "$2" ] || is_path "$2"; } && BACKUP_CERTIFICATE=$2 ;;
	*) return 1 ;;
	esac || return 2
}

# read_settings FILE: all its errors are told in one go
read_settings() {
	[ -r "$1" ] || fail 1 "$1: expected a configuration, found none: see the sample issuer.conf and certlet-issue(8)"
	number=0 errors=0
	while IFS= read -r line || [ -n "$line" ]; do
		number=$((number + 1))
		line=$(printf %s "$line" | sed 's/[[:space:]]*$//')
		case $line in
		'' | '#'*) continue ;;
		*=*)
			found=0
			setting "${line%%=*}" "${line#*=}" || found=$?
			case $found in
			0) continue ;;
			1) printf '%s\n' "certlet-issue: $1:$number: unknown key ${line%%=*}" >&2 ;;
			2) printf '%s\n' "certlet-issue: $1:$number: ${line%%=*}: expected $expected, found ${line#*=}" >&2 ;;
			esac
			;;
		*) printf '%s\n' "certlet-issue: $1:$number: expected KEY=VALUE or a comment, found $line" >&2 ;;
		esac
		errors=$((errors + 1))
	done <"$1"
	if [ -z "$NAME_SERVERS" ] && [ $errors = 0 ]; then
		printf '%s\n' "certlet-issue: $1: NAME_SERVERS is needed: the name of this machine in the DNS" >&2
		errors=1
	fi
	[ $errors = 0 ] || fail 1 "$1: $errors errors, nothing was done"
}
