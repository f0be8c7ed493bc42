# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# What Vault is asked and told: existing things are told from missing ones, and both from what could not be read.

# ask WORD...: the answer is in $answer. 1: there is no such thing. Anything else that goes wrong ends the program:
# what could not be read must never pass for what is not there.
ask() {
	if answer=$("$vault" "$@" 2>"$work/error"); then
		return 0
	fi
	answer=
	if grep -Eq '^No (value found at|policy named)' "$work/error"; then
		return 1
	fi
	refused "$@"
}

# tell WORD...: as ask, for what must succeed; with --dry-run it is only shown. Standard input goes to the command.
tell() {
	if [ -n "$dry_run" ]; then
		say "    would run: ${vault##*/} $*"
	elif ! "$vault" "$@" >"$work/answer" 2>"$work/error"; then
		refused "$@"
	fi
}

refused() {
	say "certlet-admin: this failed: ${vault##*/} $*"
	sed -n '/^ *$/d; s/^/    /; p' "$work/error" >&2
	if grep -q 'permission denied' "$work/error"; then
		say "The token may be over, or may not do this: \`setup\` needs an administrator's, the other verbs one with the policy certlet-admin."
	fi
	exit 1
}

# report STATE THING
report() {
	word=$1
	if [ -n "$dry_run" ]; then
		case $1 in
		made) word='would make' ;;
		changed) word='would change' ;;
		removed) word='would remove' ;;
		esac
	fi
	printf '%-12s  %s\n' "$word" "$2" >&2
}

# Whoever has the policy of a certificate would lose it, by one --kv-mount too many or too few.
refuse_to_move() {
	case $policy-$answer in
	certlet-cert-*"\"$kv_mount/data/certs/"*) ;;
	certlet-cert-*/data/certs/*) fail "expected the policy $policy to be for $kv_mount/, found one for another mount: see --kv-mount" ;;
	esac
}

# put_policy NAME FILE [VARIABLE=VALUE...]: the policy of policies/FILE, each @VARIABLE@ replaced
put_policy() {
	policy=$1 file=$2
	shift 2
	set -- "$@" "KV=$kv_mount" "APPROLE=$approle_mount" "CERTAUTH=$cert_mount" "POLICY=$policy"
	cp "$data/policies/$file" "$work/policy"
	for pair in "$@"; do
		sed "s|@${pair%%=*}@|${pair#*=}|g" "$work/policy" >"$work/policy.new"
		mv "$work/policy.new" "$work/policy"
	done
	state=made
	if ask policy read "$policy"; then
		state=changed
		if [ "$answer" = "$(cat "$work/policy")" ]; then
			state='was there'
			report "$state" "policy $policy"
			return
		fi
		refuse_to_move
	fi
	tell policy write "$policy" - <"$work/policy"
	report "$state" "policy $policy"
}

# put_role PATH BEFORE FIELD=VALUE...: BEFORE is how it was read, or nothing. Only these fields are set; what an
# administrator has set besides stays.
put_role() {
	path=$1 before=$2
	shift 2
	tell write "$path" "$@"
	if [ -z "$before" ]; then
		state=made
	elif [ -n "$dry_run" ]; then
		state='would set'
	elif ask read "$path" && [ "$answer" = "$before" ]; then
		state='was there'
	else
		state=changed
	fi
	report "$state" "role $path"
}
