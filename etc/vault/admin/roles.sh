# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# certlet-admin add-...: one role for each host, publisher or consumer, and one policy for each certificate.

# What every login gets: a token that is not stored, cannot be renewed, and may do what is listed. Nothing else.
login_fields='token_type=batch token_ttl=1h token_max_ttl=1h token_no_default_policy=true'

# A policy's name is in lower case whatever one writes, and so is a role's: with upper case, two would be one.
check_name() { # WHAT NAME
	case $2 in
	'' | *[!a-z0-9._-]* | [.-]* | *[.-])
		fail "expected the name of a $1 (lower case letters, digits, \".\", \"-\", \"_\"), found \"$2\"" ;;
	esac
	[ ${#2} -le 200 ] || fail "expected the name of a $1 of 200 characters at most, found ${#2}"
}

# role_of KIND NAME
role_of() {
	case $1 in
	server) role=$2 ;;
	*) role=$1-$2 ;;
	esac
}

approle_path() { # ROLE
	printf '%s' "auth/$approle_mount/role/$1"
}

cert_path() { # ROLE
	printf '%s' "auth/$cert_mount/certs/$1"
}

# kind_of POLICY...: in $kind; empty when none of them is ours
kind_of() {
	kind=
	for policy in "$@"; do
		case $policy in
		certlet-publisher) kind=publisher ;;
		certlet-consumer) kind=consumer ;;
		certlet-cert-* | certlet-per-host*) kind=${kind:-server} ;;
		esac
	done
}

# The CLI prints a role as lines of a key and a value, and a list as "[a b]".
policies_in() { # ROLE-AS-PRINTED
	printf '%s\n' "$1" | sed -n 's/^token_policies  *\[\(.*\)\]$/\1/p'
}

# read_role PATH KIND: as it is in $before, its policies in $held. A role that is another kind's, or not ours, ends the
# program.
read_role() {
	before='' held=''
	ask read "$1" || return 1
	before=$answer
	held=$(policies_in "$before")
	# shellcheck disable=SC2086 # words
	kind_of $held
	[ "$kind" = "$2" ] || fail "expected $1 to be the role of a $2, found one with the policies $held: choose another name, or remove it"
}

certificates_of() { # POLICY...
	for policy in "$@"; do
		case $policy in
		certlet-cert-*) printf '%s\n' "${policy#certlet-cert-}" ;;
		esac
	done
}

# wanted_certificates CERT...: in $certificates, what the list is to be, from $held and --add or --drop
wanted_certificates() {
	printf '%s\n' "$@" | sort -u >"$work/named"
	# shellcheck disable=SC2086 # words
	certificates_of $held | sort -u >"$work/held"
	case $listing in
	set) certificates=$(cat "$work/named") ;;
	add) certificates=$(sort -u "$work/named" "$work/held") ;;
	drop) certificates=$(comm -13 "$work/named" "$work/held") ;;
	esac
	[ -n "$certificates" ] || fail "that would leave none; remove-$kind_wanted takes all of it away"
}

put_certificate_policies() { # CERT...
	for name in "$@"; do
		put_policy "certlet-cert-$name" certificate.hcl "CERT=$name"
		[ "$state" != made ] || is_published "$name" || say "              note: $kv_mount/certs/$name is not published yet"
	done
}

is_published() { # CERT
	if [ ! -e "$work/published" ]; then
		ask list "$kv_mount/metadata/certs" || :
		printf '%s\n' "$answer" >"$work/published"
	fi
	grep -Fqx "$1" "$work/published"
}

# no_longer OLD NEW: the words of OLD that are not among those of NEW
no_longer() {
	# shellcheck disable=SC2086 # words
	printf '%s\n' $2 >"$work/new"
	# shellcheck disable=SC2086 # words
	printf '%s\n' $1 | grep -Fvx -f "$work/new" || :
}

comma_separated() {
	printf '%s' "$*" | tr ' \n' ',,'
}

# add KIND NAME [CERT...]
add() {
	kind_wanted=$1
	[ $# -ge 2 ] || fail "expected: add-$1 NAME, see --help"
	check_name "$1" "$2"
	role_of "$1" "$2"
	shift 2
	check_request "$@"
	if [ -n "$puppet" ]; then
		role_path=$(cert_path "$role")
	else
		role_path=$(approle_path "$role")
	fi
	is_new=
	read_role "$role_path" "$kind_wanted" || is_new=yes
	old=$held role_before=$before
	put_wanted_policies "$@"
	# shellcheck disable=SC2046 # words
	find_unused "$role_path" $(no_longer "$old" "$wanted")
	if [ -n "$puppet" ]; then
		put_puppet_role
	else
		put_approle
	fi
	# shellcheck disable=SC2086 # words
	remove_policies $unused
	[ -n "$puppet" ] || hand_out
}

# check_request CERT...: what can be said before Vault is asked
check_request() {
	[ "$role" != "$puppet_role" ] || fail "$puppet_role is the role that setup --puppet-ca makes"
	if [ -n "$puppet$per_host" ] && [ "$kind_wanted" != server ]; then
		fail '--puppet and --per-host are for add-server'
	elif [ -n "$puppet" ] && [ -n "$per_host" ]; then
		fail "with --per-host, a Puppet certificate needs no role of its own: cert_role = $puppet_role"
	elif [ "$kind_wanted" = publisher ] || [ -n "$per_host" ]; then
		[ $# = 0 ] || fail "expected no certificates here, found $*"
	elif [ $# = 0 ]; then
		fail "expected the certificates that $role may read, see --help"
	fi
	for name in "$@"; do
		check_name certificate "$name"
	done
}

# put_wanted_policies CERT...: makes them; their names are in $wanted
put_wanted_policies() {
	if [ "$kind_wanted" = publisher ]; then
		wanted=certlet-publisher
	elif [ -n "$per_host" ]; then
		wanted=certlet-per-host
	else
		wanted_certificates "$@"
		[ "$listing" = drop ] || put_certificate_policies "$@"
		wanted=$(for name in $certificates; do echo "certlet-cert-$name"; done)
		[ "$kind_wanted" != consumer ] || wanted="$wanted certlet-consumer"
	fi
}

put_approle() {
	fields=$login_fields
	# Others' clients ask about their token, renew it and revoke it: a batch token cannot do that.
	[ "$kind_wanted" != consumer ] || fields='token_type=service token_ttl=20m token_max_ttl=1h token_no_default_policy=true'
	# certlet warns a month before its secret-id ends; the others do not, and the end of a publisher's stops all renewals.
	[ -z "$is_new" ] || [ "$kind_wanted" != server ] || secret_id_ttl=${secret_id_ttl:-90d}
	[ -z "$secret_id_ttl" ] || fields="$fields secret_id_ttl=$secret_id_ttl"
	[ -z "$cidr" ] || fields="$fields secret_id_bound_cidrs=$cidr token_bound_cidrs=$cidr"
	# The role-id is left to Vault: who can guess one can lock its owner out by wrong logins.
	# shellcheck disable=SC2086 # lists of words
	put_role "$role_path" "$role_before" $fields "token_policies=$(comma_separated $wanted)"
}

put_puppet_role() {
	ask read -field=certificate "$(cert_path "$puppet_role")" || fail 'expected: certlet-admin setup --puppet-ca FILE first'
	printf '%s\n' "$answer" >"$work/ca.pem"
	fields="$login_fields${cidr:+ token_bound_cidrs=$cidr}"
	# shellcheck disable=SC2086 # lists of words
	put_role "$role_path" "$role_before" $fields "allowed_common_names=$role" "certificate=@$work/ca.pem" \
		"token_policies=$(comma_separated $wanted)"
	say "In the manifest of $role: auth = cert, cert_role = $role"
}
