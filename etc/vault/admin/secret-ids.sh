# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Secret-ids: by default only in a wrapping token, which shows when somebody else has opened it.

# A secret-id for a role that has none, and nothing for one that has: to repeat a command hands out nothing.
hand_out() {
	if [ -z "$is_new" ] && [ -z "$secret_id_file" ] && ask list "$role_path/secret-id"; then
		say "              It keeps its secret-id; another one: certlet-admin new-secret-id $role"
		return
	fi
	new_secret_id "$role"
}

# new_secret_id ROLE: prints the role-id, and a wrapped secret-id or where it lies
new_secret_id() {
	role_path=$(approle_path "$1")
	if [ -n "$dry_run" ]; then
		report made "secret-id for $1"
		return
	fi
	ask read -field=role_id "$role_path/role-id" || fail "there is no role $1: certlet-admin list"
	role_id=$answer
	case $secret_id_file in
	'')
		ask write -f -field=wrapping_token -wrap-ttl="$wrap_ttl" "$role_path/secret-id"
		printf '%s %s\n' role_id "$role_id" wrapped_secret_id "$answer"
		tell_what_to_do "$1" ;;
	-)
		ask write -f -field=secret_id "$role_path/secret-id"
		printf '%s %s\n' role_id "$role_id" secret_id "$answer" ;;
	*)
		write_secret_id "$secret_id_file"
		printf '%s %s\n' role_id "$role_id" secret_id_file "$secret_id_file" ;;
	esac
}

tell_what_to_do() { # ROLE
	case $1 in
	publisher-* | consumer-*)
		say "              The second one opens once, within $wrap_ttl. Where it is needed, as BAO_TOKEN:
                (umask 077; bao unwrap -field=secret_id >FILE)" ;;
	*)
		say "              The second one opens once, within $wrap_ttl: put it into the wrapped_secret_id_file of $1." ;;
	esac
	say "              If it is refused there, somebody else may have opened it: certlet-admin new-secret-id $1 --only"
}

write_secret_id() { # FILE
	[ ! -d "$1" ] || fail "expected a file for the secret-id, found the directory $1"
	beside=$(mktemp "$(dirname "$1")/.certlet-admin.XXXXXX") || fail "cannot write beside $1"
	"$vault" write -f -field=secret_id "$role_path/secret-id" >"$beside" 2>"$work/error" || refused write -f "$role_path/secret-id"
	echo >>"$beside"
	mv "$beside" "$1"
	beside=
}

another_secret_id() {
	[ $# = 1 ] || fail 'expected: new-secret-id ROLE'
	check_name role "$1"
	path=$(approle_path "$1")
	ask read "$path" || fail "there is no role $1: certlet-admin list"
	# shellcheck disable=SC2046 # words
	kind_of $(policies_in "$answer")
	[ -n "$kind" ] || fail "$path is not a role of certlet-admin's"
	older=
	if [ -n "$only" ] && ask list "$path/secret-id"; then
		older=$(printf '%s\n' "$answer" | sed 1,2d)
	fi
	new_secret_id "$1"
	for accessor in $older; do
		tell write "$path/secret-id-accessor/destroy" "secret_id_accessor=$accessor"
		report removed "secret-id with the accessor $accessor"
	done
}
