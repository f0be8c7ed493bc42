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

# read_by_curl: thousands of roles in a second, as $vault tells curl how it reaches the server itself. 1: not to be done so, or
# something went wrong, and nothing is in $work/roles; $vault has the better words for it. The token goes by standard input.
read_by_curl() {
	rm -rf "$work/read"
	mkdir "$work/read"
	call=$("$vault" read -output-curl-string "$tree" 2>/dev/null) || return 1
	# A socket is told as http://localhost, where somebody else may listen.
	case $call in
	'curl '*https://*) ;;
	*) return 1 ;;
	esac
	eval "curl_configuration ${call#curl }" | curl -q --silent --fail --fail-early --parallel --max-time 60 --config - >"$work/error" 2>&1 || return 1
	# shellcheck disable=SC2016 # for jq
	find "$work/read" -type f -exec jq -r --arg tree "$tree" \
		'[$tree, (input_filename | sub(".*/"; "")), .data.token_policies[]] | join(" ")' {} + >"$work/found" 2>"$work/error" || return 1
	[ "$(wc -l <"$work/found")" = "$(wc -l <"$work/names")" ] || return 1
	cat "$work/found" >>"$work/roles"
}

# curl_configuration OPTION... URL: a command line of curl's as its --config has it, and the URL of each of $work/names
curl_configuration() {
	while [ $# -gt 1 ]; do
		case $1 in
		--insecure) echo insecure ;;
		-H) curl_option header "$2" && shift ;;
		*) curl_option "${1#--}" "$2" && shift ;;
		esac
		shift
	done
	awk -v url="$1" -v directory="$work/read" '
		{ printf "url = \"%s/%s\"\noutput = \"%s/%s\"\n", url, $0, directory, $0 }' "$work/names"
}

curl_option() { # NAME VALUE
	printf '%s = "%s"\n' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"
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
