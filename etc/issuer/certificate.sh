# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Part of certlet-issue: the keys, certbot, certlet-publish, and what to write where afterwards.

CERTBOTS=/etc/letsencrypt
LINEAGES=$CERTBOTS/live
ARCHIVES=$CERTBOTS/archive
RENEWALS=$CERTBOTS/renewal
# Of runs of certbot that were killed.
REMAINS=$CERTBOTS/interrupted

setup() {
	step "a TSIG key that may set TXT in the delegated zones: $ACME_KEY_FILE"
	if [ -e "$ACME_KEY_FILE" ]; then
		say "is there already"
	else
		(umask 077 && tsig-keygen -a hmac-sha256 certlet-acme >"$ACME_KEY_FILE.new")
		# BIND reads it as the group of its directory.
		chgrp --reference="$(dirname "$ACME_KEY_FILE")" "$ACME_KEY_FILE.new"
		chmod 640 "$ACME_KEY_FILE.new"
		mv "$ACME_KEY_FILE.new" "$ACME_KEY_FILE"
		say "made"
	fi
	step "the same for certbot: $CERTBOT_CREDENTIALS"
	write_credentials
	step "the zones: $ZONE_LIST"
	write_zone_list
	say "named.conf has to have these two lines:"
	printf 'include "%s";\n' "$ACME_KEY_FILE" "$ZONE_LIST"
}

# Written anew from the key each time: one secret, kept in one place.
write_credentials() {
	(
		umask 077
		{
			echo "# Written by certlet-issue from $ACME_KEY_FILE."
			echo "dns_rfc2136_server = $DNS_SERVER"
			echo "dns_rfc2136_name = $(key_field key)"
			echo "dns_rfc2136_secret = $(key_field secret)"
			# In lower case certbot 2.1 takes it for HMAC-MD5, without a word.
			echo "dns_rfc2136_algorithm = $(key_field algorithm | tr '[:lower:]' '[:upper:]')"
		} >"$CERTBOT_CREDENTIALS.new"
	)
	mv "$CERTBOT_CREDENTIALS.new" "$CERTBOT_CREDENTIALS"
}

# certbot with what every call of it needs.
run_certbot() {
	(
		[ -z "$ACME_CA_FILE" ] || export REQUESTS_CA_BUNDLE="$ACME_CA_FILE"
		exec certbot "$@" --non-interactive 9>&- >&2
	)
}

# Certbot makes the file of renewal first and fills it last, and deletes it first: where it is empty or missing, the rest is
# what was left by one that was killed.
has_remains() {
	[ ! -s "$RENEWALS/$1.conf" ] && { [ -e "$RENEWALS/$1.conf" ] || [ -d "$LINEAGES/$1" ] || [ -d "$ARCHIVES/$1" ]; }
}

# move_lineage NAME FROM TO: in both as below /etc/letsencrypt, so that its links lead to the same files
move_lineage() {
	for part in "live/$1" "archive/$1" "renewal/$1.conf"; do
		[ -e "$2/$part" ] || continue
		mkdir -p "$3/${part%%/*}"
		mv "$2/$part" "$3/$part"
	done
}

# Certbot would call the next one NAME-0001, or ask the CA and then keep nothing. What earlier runs put aside stays.
put_remains_aside() {
	(umask 077 && mkdir -p "$REMAINS")
	aside=$(mktemp -d "$REMAINS/$1.XXXXXX")
	say "what a run of certbot left that was interrupted is put into $aside"
	move_lineage "$1" "$CERTBOTS" "$aside"
}

# As it was, where certbot made nothing: it tells the next run the names, and a server on this machine may read it.
bring_remains_back() {
	[ ! -e "$LINEAGES/$1" ] && [ ! -e "$ARCHIVES/$1" ] && [ ! -e "$RENEWALS/$1.conf" ] || return 0
	move_lineage "$1" "$aside" "$CERTBOTS"
	rmdir "$aside"/* "$aside"
	say "what was put into $aside is back"
}

# What certbot cannot read, it takes for another's.
refuse_what_is_broken() {
	[ -e "$RENEWALS/$1.conf" ] || return 0
	for part in cert chain fullchain privkey; do
		path=$LINEAGES/$1/$part.pem
		if [ ! -L "$path" ] || [ ! -r "$path" ]; then
			fail 2 "$1: expected the link $path into $ARCHIVES/$1, found none: put it back, or begin anew by certlet-issue --remove $1"
		fi
	done
}

obtain() {
	server=$ACME_SERVER
	[ -z "$staging" ] || server=$ACME_STAGING_SERVER
	step "$1: a certificate for $(echo "$2" | xargs) from $server"
	if [ -n "$dry_run" ]; then
		say "would be asked for, unless there is one that is not due"
		return
	fi
	needs certbot
	needs certlet-publish certlet-issuer
	domain=$1 names=$2
	# A trial keeps nothing, so nothing is in its way.
	if [ -z "$staging" ]; then
		if has_remains "$1"; then
			put_remains_aside "$1"
			trap 'bring_remains_back "$domain"' EXIT
			trap 'exit 2' HUP INT TERM
		fi
		refuse_what_is_broken "$1"
	fi
	write_credentials
	set -- certonly --cert-name "$1" --keep-until-expiring --renew-with-new-domains --agree-tos --server "$server" \
		--authenticator dns-rfc2136 --dns-rfc2136-credentials "$CERTBOT_CREDENTIALS" \
		--dns-rfc2136-propagation-seconds "$PROPAGATION_SECONDS" --deploy-hook "$(command -v certlet-publish)"
	if [ -n "$ACME_EMAIL" ]; then
		set -- "$@" --email "$ACME_EMAIL"
	else
		set -- "$@" --register-unsafely-without-email
	fi
	while read -r name; do
		set -- "$@" --domain "$name"
	done <<END
$names
END
	[ -z "$staging" ] || set -- "$@" --dry-run
	run_certbot "$@" || fail 2 "$domain: certbot obtained no certificate: its words are above, more in /var/log/letsencrypt/letsencrypt.log"
	if [ -n "$staging" ]; then
		say "the trial succeeded; nothing of it was kept"
		return
	fi
	openssl x509 -in "$LINEAGES/$domain/cert.pem" -noout -checkend 0 >/dev/null ||
		fail 2 "$domain: expected a valid certificate in $LINEAGES/$domain, found none"
	say "$LINEAGES/$domain: valid until $(openssl x509 -in "$LINEAGES/$domain/cert.pem" -noout -enddate | cut -d= -f2)"
}

# The deploy hook did this already, but certbot does not tell how that ended.
publish() {
	step "$1: publish it in Vault"
	if [ -n "$dry_run" ]; then
		say "would be published as $KV_MOUNT/certs/$1"
		return
	fi
	certlet-publish "$LINEAGES/$1" 9>&- || {
		status=$?
		fail $status "$1: certlet-publish ended with $status; certlet-publish-all.timer tries again every hour, and so does certlet-issue $1"
	}
}

explain() {
	step "$1: what to add, for each server that is to have it"
	say "in Hiera:"
	{
		printf 'certlet::certificates:\n  %s:\n    names: [' "$1"
		printf '%s' "$2" | sed "s/.*/'&'/" | paste -sd, | sed 's/,/, /g; s/$/]/'
		printf '    services: [nginx]\n'
	}
	say "in the policy of the server (certlet-admin add-server HOST $1 does it):"
	printf 'path "%s/data/certs/%s" { capabilities = ["read"] }\n' "$KV_MOUNT" "$1"
	printf 'path "%s/metadata/certs/%s" { capabilities = ["read"] }\n' "$KV_MOUNT" "$1"
}

renew() {
	step "renew what is due${*:+: $*}"
	# Without a terminal certbot would sleep for up to 8 minutes; the timer has a random delay of its own.
	set -- renew --no-random-sleep-on-renew "$@"
	if [ $# = 2 ]; then
		run_certbot "$@" || fail 2 "certbot did not renew everything: its words are above, more in /var/log/letsencrypt/letsencrypt.log"
		return
	fi
	shift 2
	result=0
	for domain; do
		run_certbot renew --no-random-sleep-on-renew --cert-name "$domain" ${force:+--force-renewal} || result=2
	done
	[ $result = 0 ] || fail 2 "certbot did not renew everything: its words are above"
}

# Without its lineage a domain is not renewed any more.
forget() {
	step "$1: renew it no more"
	if has_remains "$1"; then
		[ -z "$dry_run" ] || { say "what is left of it would be put into $REMAINS" && return; }
		put_remains_aside "$1"
	elif [ ! -e "$RENEWALS/$1.conf" ]; then
		say "certbot does not know it"
	elif [ -n "$dry_run" ]; then
		say "certbot would delete $LINEAGES/$1"
	else
		run_certbot delete --cert-name "$1" || fail 2 "$1: certbot did not delete it"
	fi
}
