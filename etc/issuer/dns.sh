# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Part of certlet-issue: the delegation of _acme-challenge.DOMAIN at the parent, and the delegated zone at this machine's BIND.

DELEGATION_TTL=3600
POLL_SECONDS=2

challenge_of() {
	printf '_acme-challenge.%s' "$1"
}

# names_in LINEAGE: the names of the certificate that certbot has, one a line
names_in() {
	[ -r "$LINEAGES/$1/cert.pem" ] || return 0
	openssl x509 -in "$LINEAGES/$1/cert.pem" -noout -ext subjectAltName | tr ',' '\n' | sed -n 's/^ *DNS://p'
}

# The names that the certificate of a domain is for, one a line: those that were said, else those that it has.
names_of() {
	if [ -n "$names_wanted" ]; then
		printf '%s\n' "$names_wanted" | tr ',' '\n'
		return
	fi
	held=$(names_in "$1")
	case $1 in
	_wildcard.*) printf '%s\n' "${held:-*.${1#_wildcard.}}" ;;
	*) printf '%s\n' "${held:-$1
*.$1}" ;;
	esac
}

# needed_by DOMAIN LINEAGE: another lineage that has to prove the same domain
needed_by() {
	for other in "$LINEAGES"/*/; do
		other=$(basename "$other")
		[ "$other" != "$2" ] || continue
		! bases_of "$(names_in "$other")" | grep -Fqx "$1" || printf '%s\n' "$other"
	done
}

# The domains that have to prove them: a wildcard is proved where its domain is.
bases_of() {
	printf '%s\n' "$1" | sed 's/^\*\.//' | sort -u
}

ask() {
	dig +time=3 +tries=2 "$@" 2>/dev/null
}

# The records of one type and owner among dig's full lines: their last word, sorted.
records() {
	awk -v type="$1" -v owner="$2" '$4 == type && tolower($1) == tolower(owner) { print tolower($5) }' | sort -u
}

wanted_servers() {
	for server in $NAME_SERVERS; do
		printf '%s\n' "${server%.}." | tr '[:upper:]' '[:lower:]'
	done | sort -u
}

# The closest zone around a domain, as the resolver knows it. A name that stands for another (CNAME) begins no zone, and what
# is told with it is the zone of the other.
zone_around() {
	told=$(ask +noall +answer +authority SOA "$1." | awk '$4 == "CNAME" || $4 == "SOA" { print $4, $1; exit }')
	case $told in
	CNAME*) case $1 in *.*) zone_around "${1#*.}" ;; esac ;;
	*) printf '%s\n' "${told#SOA }" ;;
	esac
}

# find_parent DOMAIN: in $parent the line "ZONE SERVER KEYFILE" of the configuration; or nothing, and why in $no_parent
find_parent() {
	zone=$(zone_around "$1")
	parent=$(printf %s "$PARENTS" | awk -v zone="${zone%.}" '$1 == zone || $1 == zone "." { print; exit }')
	no_parent="by hand, since $settings has no PARENT for the zone ${zone:-around it}"
	[ -z "$parent" ] || no_parent=
}

addresses_of() {
	found=$(ask +short A "$1" | grep -E '^[0-9.]+$' || true)
	[ -n "$found" ] || found=$(ask +short AAAA "$1" | grep : || true)
	printf '%s\n' "$found"
}

# delegated_at ADDRESS DOMAIN: the name servers that this server of the parent tells
delegated_at() {
	ask "@$1" +norecurse +noall +answer +authority NS "$(challenge_of "$2")." | records NS "$(challenge_of "$2")."
}

# show_delegation DOMAIN: one line for each of the parent's own servers; are all of them right?
show_delegation() {
	zone=$(zone_around "$1")
	servers=$([ -z "$zone" ] || ask +short NS "$zone")
	if [ -z "$servers" ]; then
		say "$1: expected a zone with name servers around it, found none: does the domain exist, and this machine's resolver work?"
		return 2
	fi
	all_right=0
	for server in $servers; do
		addresses=$(addresses_of "$server")
		[ -n "$addresses" ] || { say "$server has no address" && all_right=2; }
		for address in $addresses; do
			told=$(delegated_at "$address" "$1")
			if [ "$told" = "$(wanted_servers)" ]; then
				say "$server ($address, zone $zone) delegates to $(echo "$told" | xargs)"
			else
				say "$server ($address, zone $zone): expected NS $(wanted_servers | xargs), found $(echo "${told:-none}" | xargs)"
				all_right=2
			fi
		done
	done
	return $all_right
}

is_delegated() {
	show_delegation "$1" 2>/dev/null
}

# update_parent DOMAIN PARENT ADDITIONS: what was there is deleted and these are added, all or nothing
update_parent() {
	read -r zone server key <<END
$2
END
	[ -r "$key" ] || fail 1 "$key: expected the TSIG key for the zone $zone, found none (PARENT in $settings)"
	[ -z "$(find "$key" -perm /027)" ] || fail 1 "$key: expected a TSIG key that only root reads, found mode $(stat -c %a "$key"): chmod 600 $key"
	said=$(printf 'server %s\nzone %s.\nupdate delete %s. NS\n%s\nsend\n' "$server" "$zone" "$(challenge_of "$1")" "$3" |
		nsupdate -t 10 -k "$key" 2>&1) && return
	fail 2 "$1: the server $server did not take the delegation with the key in $key: $said
    It has to have, in zone $zone: update-policy { grant KEY name $(challenge_of "$1"). NS; };"
}

delegate() {
	step "$1: delegate $(challenge_of "$1") to $(wanted_servers | xargs)"
	find_parent "$1"
	if is_delegated "$1"; then
		say "is delegated already"
	elif [ -n "$dry_run" ]; then
		say "would be set ${parent:+at ${parent% *}}${no_parent}"
	elif [ -n "$parent" ]; then
		update_parent "$1" "$parent" "$(for server in $(wanted_servers); do
			printf 'update add %s. %s NS %s\n' "$(challenge_of "$1")" "$DELEGATION_TTL" "$server"
		done)"
		say "set at ${parent% *}"
	else
		say "to be set $no_parent:"
		for server in $(wanted_servers); do
			printf '%s. %s IN NS %s\n' "$(challenge_of "$1")" "$DELEGATION_TTL" "$server"
		done
	fi
}

# The first of ours that has none, as this machine's resolver knows it: it may remember for a while that there was none.
server_without_address() {
	for server in $(wanted_servers); do
		[ -n "$(addresses_of "$server")" ] || { printf '%s\n' "$server" && return; }
	done
}

# Until all servers of the parent tell it, and ours have addresses: secondaries may need a moment, people some more.
wait_for_delegation() {
	[ -z "$dry_run" ] || return 0
	step "$1: look for the delegation at the parent's own servers"
	waited=0 homeless=''
	until { is_delegated "$1" && homeless=$(server_without_address) && [ -z "$homeless" ]; } || [ $waited -ge "$WAIT_SECONDS" ]; do
		[ $((waited % 60)) != 0 ] || say "not seen yet${homeless:+: an address of $homeless}: looking every $POLL_SECONDS s, for up to $WAIT_SECONDS s"
		sleep $POLL_SECONDS
		waited=$((waited + POLL_SECONDS))
	done
	show_delegation "$1" || fail 2 "$1: no right delegation within $WAIT_SECONDS s: run again when these servers have it"
	[ -z "$homeless" ] ||
		fail 2 "$1: $homeless has no address: its record, in a zone of your own, is yours to make (NAME_SERVERS in $settings)"
}

# is_not_delegated DOMAIN PARENT: does the parent say so, of its own zone (aa)? One that does not answer has not.
is_not_delegated() {
	read -r _ server _ <<END
$2
END
	# One answer for all of it: of two, one may get lost.
	answer=$(ask "@$server" +norecurse +noall +comments +answer +authority NS "$(challenge_of "$1").") &&
		printf '%s\n' "$answer" | grep -Eq ', status: (NOERROR|NXDOMAIN),' &&
		printf '%s\n' "$answer" | grep -Eq '^;; flags:[a-z ]* aa[ ;]' &&
		[ -z "$(printf '%s\n' "$answer" | records NS "$(challenge_of "$1").")" ]
}

undelegate() {
	step "$1: take the delegation of $(challenge_of "$1") away"
	find_parent "$1"
	if [ -n "$parent" ] && is_not_delegated "$1" "$parent"; then
		say "is not delegated"
	elif [ -n "$dry_run" ]; then
		say "would be removed ${parent:+at ${parent% *}}${no_parent}"
	elif [ -n "$parent" ]; then
		update_parent "$1" "$parent" ''
		say "removed at ${parent% *}"
	else
		say "to be removed $no_parent"
	fi
}

# The zone at this machine

zone_file() {
	printf '%s/%s.zone' "$ZONE_DIRECTORY" "$(challenge_of "$1")"
}

# The name of a TSIG key, as BIND itself reads its file.
key_field() {
	named-checkconf -p "$ACME_KEY_FILE" | sed -n "s/.*$1 \"\([^\"]*\)\".*/\1/p" | head -n 1
}

served_zone() {
	ask "@$DNS_SERVER" +norecurse +noall +answer NS "$(challenge_of "$1")." | records NS "$(challenge_of "$1")."
}

# The list is made of what lies there, so that it is right again whatever happened to it.
write_zone_list() {
	key=$(key_field key)
	[ -n "$key" ] || fail 1 "$ACME_KEY_FILE: expected a TSIG key, found none: certlet-issue --setup makes it"
	{
		echo "# Written by certlet-issue: the zones in $ZONE_DIRECTORY/_acme-challenge.*.zone. Included by named.conf."
		for path in "$ZONE_DIRECTORY"/_acme-challenge.*.zone; do
			[ -e "$path" ] || continue
			zone=$(basename "$path" .zone)
			printf 'zone "%s" { type primary; file "%s"; update-policy { grant %s name %s. TXT; }; };\n' \
				"$zone" "$path" "$key" "$zone"
		done
	} >"$ZONE_LIST.new"
	mv "$ZONE_LIST.new" "$ZONE_LIST"
}

reconfigure_named() {
	said=$(rndc reconfig 2>&1) || fail 2 "BIND did not take the zones of $ZONE_LIST: $said (journalctl -u named)"
}

# named answers from the old configuration for a moment.
wait_for_zone() {
	tries=0
	until [ "$(served_zone "$1")" = "$2" ]; do
		tries=$((tries + 1))
		[ $tries -le 50 ] || return 1
		sleep 0.1
	done
}

make_zone() {
	step "$1: the zone $(challenge_of "$1") at $DNS_SERVER"
	if [ -e "$(zone_file "$1")" ] && [ "$(served_zone "$1")" = "$(wanted_servers)" ]; then
		say "is there already"
		return
	fi
	if [ -n "$dry_run" ]; then
		say "would be made in $(zone_file "$1")"
		return
	fi
	if [ -e "$(zone_file "$1")" ] && [ -n "$(served_zone "$1")" ]; then
		say "has other name servers: is made anew"
		drop_zone "$1"
	fi
	if [ ! -e "$(zone_file "$1")" ]; then
		# A minimum of 1 s: that a record is not there yet is soon asked again.
		{
			printf '%s. 60 IN SOA %s hostmaster.%s. 1 3600 600 604800 1\n' \
				"$(challenge_of "$1")" "$(wanted_servers | head -n 1)" "$1"
			for server in $(wanted_servers); do
				printf '%s. 60 IN NS %s\n' "$(challenge_of "$1")" "$server"
			done
		} >"$(zone_file "$1").new"
		# Whoever may write the directory, which is BIND, is to rewrite its file.
		chown --reference="$ZONE_DIRECTORY" "$(zone_file "$1").new"
		chmod 664 "$(zone_file "$1").new"
		mv "$(zone_file "$1").new" "$(zone_file "$1")"
	fi
	write_zone_list
	reconfigure_named
	wait_for_zone "$1" "$(wanted_servers)" ||
		fail 2 "$1: BIND at $DNS_SERVER does not answer for $(challenge_of "$1"): has named.conf the line include \"$ZONE_LIST\"; ? (journalctl -u named)"
	say "is there"
}

# The file is there no more where an earlier run was killed in between.
drop_zone() {
	[ ! -e "$(zone_file "$1")" ] || mv "$(zone_file "$1")" "$(zone_file "$1").saved"
	write_zone_list
	reconfigure_named
	wait_for_zone "$1" '' || fail 2 "$1: BIND at $DNS_SERVER still answers for $(challenge_of "$1")"
	rm -f "$(zone_file "$1").saved" "$(zone_file "$1").jnl"
}

remove_zone() {
	step "$1: remove the zone $(challenge_of "$1") at $DNS_SERVER"
	if [ ! -e "$(zone_file "$1")" ] && [ -z "$(served_zone "$1")" ]; then
		say "is not there"
	elif [ -n "$dry_run" ]; then
		say "would be removed with $(zone_file "$1")"
	else
		drop_zone "$1"
		say "removed"
	fi
}

# show_zone DOMAIN: is it where the delegation points?
show_zone() {
	there=0
	for server in $(wanted_servers); do
		addresses=$(addresses_of "$server")
		[ -n "$addresses" ] || { say "$server has no address" && there=2; }
		for address in $addresses; do
			if ask "@$address" +norecurse SOA "$(challenge_of "$1")." | grep -q 'flags:.* aa.*ANSWER: 1,'; then
				say "$server ($address) answers for the zone"
			else
				say "$server ($address): expected an authoritative answer for $(challenge_of "$1"), found none: certlet-issue $1"
				there=2
			fi
		done
	done
	return $there
}
