# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# certlet-admin remove-... and list: what the roles in Vault say.

# all_roles: "MOUNT ROLE POLICY..." of each, in $work/roles.
all_roles() {
	: >"$work/roles"
	for tree in "auth/$approle_mount/role" "auth/$cert_mount/certs"; do
		ask list "$tree" || continue
		printf '%s\n' "$answer" | sed 1,2d >"$work/names"
		read_by_curl || read_one_by_one
	done
	tr -d '[]' <"$work/roles" | sort >"$work/sorted"
	mv "$work/sorted" "$work/roles"
}

# read_by_curl: thousands of roles in a second. 1: not to be done so, or something went wrong, and nothing is in $work/roles;
# $vault has the better words for it. The token goes by standard input.
read_by_curl() {
	can_curl || return 1
	rm -rf "$work/read"
	mkdir "$work/read"
	curl_configuration | curl -q --silent --fail --fail-early --parallel --connect-timeout 5 --max-time 60 --config - >"$work/error" 2>&1 || return 1
	# shellcheck disable=SC2016 # for jq
	find "$work/read" -type f -exec jq -r --arg tree "$tree" \
		'[$tree, (input_filename | sub(".*/"; "")), .data.token_policies[]] | join(" ")' {} + >"$work/found" 2>"$work/error" || return 1
	[ "$(wc -l <"$work/found")" = "$(wc -l <"$work/names")" ] || return 1
	cat "$work/found" >>"$work/roles"
}

# can_curl: does $vault go by nothing but $address over https, $ca, $namespace and a token? Curl must not trust whom it would not
# trust, nor go another way. What stands between quotes for curl has none.
can_curl() {
	case ${vault##*/} in
	bao) address=${BAO_ADDR-${VAULT_ADDR-}} ca=${BAO_CACERT-${VAULT_CACERT-}} namespace=${BAO_NAMESPACE-${VAULT_NAMESPACE-}} ;;
	*) address=${VAULT_ADDR-} ca=${VAULT_CACERT-} namespace=${VAULT_NAMESPACE-} ;;
	esac
	[ "$(env | grep -cE '^(BAO|VAULT)_' || :)" = "$(env | grep -cE '^(BAO|VAULT)_(ADDR|CACERT|NAMESPACE|TOKEN)=' || :)" ] || return 1
	case $address$namespace in
	*[!A-Za-z0-9.:/_-]*) return 1 ;;
	https://*) ;;
	*) return 1 ;;
	esac
	case $ca in
	*[!A-Za-z0-9./_-]*) return 1 ;;
	esac
}

curl_configuration() {
	printf 'header = "X-Vault-Token: %s"\n' "$("$vault" print token | sed 's/[\\"]/\\&/g')"
	[ -z "$namespace" ] || printf 'header = "X-Vault-Namespace: %s"\n' "$namespace"
	[ -z "$ca" ] || printf 'cacert = "%s"\n' "$ca"
	awk -v url="${address%/}/v1/$tree" -v directory="$work/read" '
		{ printf "url = \"%s/%s\"\noutput = \"%s/%s\"\n", url, $0, directory, $0 }' "$work/names"
}

read_one_by_one() {
	# shellcheck disable=SC2016 # for the inner shell
	tree=$tree xargs -n 1 -P 8 sh -c '
		policies=$("$vault" read -field=token_policies "$tree/$1") || exit 1
		printf "%s %s %s\n" "$tree" "$1" "$policies"' read <"$work/names" >>"$work/roles" 2>"$work/error" || refused read "$tree/..."
}

# find_unused GONE POLICY...: in $unused, those of single certificates that no role has but the ones at the paths GONE.
# Asked before anything is removed: what cannot be read then has changed nothing.
find_unused() {
	unused='' gone=" $1 "
	shift
	candidates=$(certificates_of "$@")
	[ -n "$candidates" ] || return 0
	all_roles
	for name in $candidates; do
		awk -v policy="certlet-cert-$name" -v gone="$gone" '
			!index(gone, " " $1 "/" $2 " ") { for (i = 3; i <= NF; i++) if ($i == policy) found = 1 }
			END { exit !found }' "$work/roles" || unused="$unused certlet-cert-$name"
	done
}

remove_policies() { # POLICY...
	for policy in "$@"; do
		tell policy delete "$policy"
		report removed "policy $policy"
	done
}

# remove KIND NAME
remove() {
	[ $# = 2 ] || fail "expected: remove-$1 NAME"
	check_name "$1" "$2"
	role_of "$1" "$2"
	[ "$role" != "$puppet_role" ] ||
		fail "$role is the role of all servers that log in by their Puppet certificates; to shut them all out: ${vault##*/} delete $(cert_path "$role")"
	old='' found=''
	for path in "$(approle_path "$role")" "$(cert_path "$role")"; do
		! read_role "$path" "$1" || found="$found $path" old="$old $held"
	done
	if [ -z "$found" ]; then
		report 'was gone' "role $role"
		return
	fi
	# shellcheck disable=SC2086 # words
	find_unused "$found" $old
	for path in $found; do
		tell delete "$path"
		report removed "role $path"
	done
	# shellcheck disable=SC2086 # words
	remove_policies $unused
	say "              With it went its secret-ids; a token that it has now ends within the hour."
}

list() {
	[ $# = 0 ] || fail "list takes no names, found $*"
	all_roles
	printf '%-34s %-10s %-8s %s\n' ROLE KIND LOGIN CERTIFICATES
	while read -r tree role held; do
		# shellcheck disable=SC2086 # words
		kind_of $held
		[ -n "$kind" ] || continue
		case $held in
		*certlet-publisher*) reads='all, and writes them' ;;
		*certlet-per-host-cert*) reads='hosts/COMMON-NAME/' ;;
		*certlet-per-host*) reads=hosts/$role/ ;;
		*) # shellcheck disable=SC2086 # words
			reads=$(certificates_of $held | tr '\n' ' ') ;;
		esac
		login=${tree#auth/}
		printf '%-34s %-10s %-8s %s\n' "$role" "$kind" "${login%/*}" "${reads% }"
	done <"$work/roles"
}
