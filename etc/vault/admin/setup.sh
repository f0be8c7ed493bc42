# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# certlet-admin setup: mounts, policies, the role for Puppet certificates, the audit device.

# Vault cuts the life of a secret-id to the longest lease of the mount of its login, silently: 32 days if nobody says more.
SECRET_ID_DAYS_MOST=365

# put_mount KIND PATH TYPE OPTION...: KIND is secrets or auth; the options are for one that is made now
put_mount() {
	kind=$1 path=$2 type=$3
	shift 3
	ask "$kind" list
	found=$(printf '%s\n' "$answer" | awk -v path="$path/" '$1 == path { print $2 }')
	case $kind in
	secrets) tree=sys/mounts/$path ;;
	*) tree=sys/auth/$path ;;
	esac
	if [ -z "$found" ]; then
		tell "$kind" enable -path="$path" "$@" "$type"
		report made "$type at $path/"
		return
	fi
	[ "$found" = "$type" ] || fail "expected $type at $path/, found $found: choose another mount, see --help"
	if [ "$type" = kv ]; then
		ask read -field=options "$tree" || fail "$path/ is gone"
		case $answer in
		*version:2*) ;;
		*) fail "expected kv version 2 at $path/, found version 1: choose another mount with --kv-mount" ;;
		esac
	fi
	report 'was there' "$type at $path/"
}

# Of a login that others may have made for themselves: theirs to change.
look_at_longest_lease() {
	ask read -field=max_lease_ttl "sys/auth/$approle_mount/tune" || fail "$approle_mount/ is gone"
	days=$((answer / 86400))
	[ $days -ge 90 ] || say "              note: a secret-id of $approle_mount/ lasts $days days at most, and servers are meant to get 90:
              ${vault##*/} auth tune -max-lease-ttl=2160h $approle_mount/"
}

put_per_host_policy() { # NAME MOUNT FIELD WHO
	# A mount that a dry run has not made has no accessor yet.
	accessor=$(awk -v path="$2/" '$1 == path { print $3 }' "$work/auth")
	put_policy "$1" per-host.hcl "ACCESSOR=${accessor:-ACCESSOR}" "FIELD=$3" "WHO=$4"
}

put_audit() {
	# Without a device the command fails, but says so like an answer.
	if answer=$("$vault" audit list 2>"$work/error"); then
		report 'was there' "audit device $(printf '%s\n' "$answer" | awk 'NR == 3 { print $1 }')"
		return
	fi
	if grep -q 'root namespace' "$work/error"; then
		report 'not here' 'audit device: the one of the root namespace logs this one too'
		return
	fi
	case $answer in
	'No audit devices'*) ;;
	*) refused audit list ;;
	esac
	if [ -n "$no_audit" ]; then
		report 'left out' 'audit device'
		return
	fi
	if [ -n "$dry_run" ] || "$vault" audit enable -path=certlet file "file_path=$audit_file" >"$work/answer" 2>"$work/error"; then
		report made "audit device certlet/, in $audit_file"
		return
	fi
	grep -q 'via API' "$work/error" || refused audit enable -path=certlet file "file_path=$audit_file"
	report missing 'audit device'
	say "OpenBao takes it from its configuration only. Put this into the configuration of every node, and send it a SIGHUP:

audit \"file\" \"certlet\" {
  options {
    file_path = \"$audit_file\"
  }
}

Then repeat this command, or say --no-audit."
	unfinished=yes
}

setup() {
	[ $# = 0 ] || fail "setup takes no names, found $*"
	[ -z "$puppet_ca" ] || [ -r "$puppet_ca" ] || fail "cannot read $puppet_ca"
	put_mount secrets "$kv_mount" kv -version=2 -description=certificates
	put_mount auth "$approle_mount" approle -max-lease-ttl="$((SECRET_ID_DAYS_MOST * 24))h"
	[ -z "$found" ] || look_at_longest_lease
	put_mount auth "$cert_mount" cert
	put_policy certlet-publisher publisher.hcl
	put_policy certlet-consumer consumer.hcl
	put_policy certlet-admin admin.hcl
	put_policy certlet-puppet-server puppet-server.hcl
	ask auth list
	printf '%s\n' "$answer" >"$work/auth"
	put_per_host_policy certlet-per-host "$approle_mount" metadata.role_name 'the name of the AppRole role'
	put_per_host_policy certlet-per-host-cert "$cert_mount" name 'the common name of the client certificate'
	if [ -n "$puppet_ca" ]; then
		before=
		! ask read "auth/$cert_mount/certs/$puppet_role" || before=$answer
		# shellcheck disable=SC2086 # a list of fields
		put_role "auth/$cert_mount/certs/$puppet_role" "$before" $login_fields token_policies=certlet-per-host-cert \
			"certificate=@$puppet_ca"
	fi
	put_audit
}
