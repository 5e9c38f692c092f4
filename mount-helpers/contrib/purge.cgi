#!/bin/sh
# purge.cgi - purges over HTTP, for a web server that serves a webcachefs mount.
#
#   PURGE /a/b.jpg                     what is shown by that path; a * at its end: all that
#                                      begins so
#   PURGE / with Surrogate-Key: a b    what has one of these tags
#   POST, targets in the body          as webcachefs-control(5) has them, one a line
#
# With Fastly-Soft-Purge: 1 it is marked stale, and stays until the origin was asked.
# Answers 200 and how many responses matched; 400: a target is wrong, nothing was done.
#
# Runs as who owns the mount (the option uid), since that one alone may purge. It is the
# web server that decides who may ask for it: see nginx-admin.conf. From there it takes
#   WEBCACHEFS_MOUNT   the mount point
#   WEBCACHEFS_PREFIX  what a path begins with that the mount does not have, or nothing
#   WEBCACHECTL        the program, if it is not in the path
set -u
PATH=/usr/local/bin:/usr/bin:/bin
LC_ALL=C
export PATH LC_ALL

answer() {	# status text
	printf 'Status: %s\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n\r\n%s\n' "$1" "$2"
	exit 0
}

# Standard input: targets. What goes wrong comes with what is said.
run() {
	if said=$("${WEBCACHECTL:-webcachectl}" -m "$WEBCACHEFS_MOUNT" "$order" - 2>&1); then
		answer '200 OK' "$said"
	fi
	case $said in
	*'is wrong'*)		answer '400 Bad Request' "$said" ;;
	*'Permission denied'*)	answer '403 Forbidden' "$said" ;;
	esac
	answer '500 Internal Server Error' "$said"
}

tags() {
	set -f
	for tag in $HTTP_SURROGATE_KEY; do
		printf 'tag:%s\n' "$tag"
	done
}

# The URL of the path $target: of the mount's own origin, or, of web, the one it has in it.
url() {
	base=$(sed -n 's/^base_url=//p' "$WEBCACHEFS_MOUNT/.control/config")
	case $base$target in
	/http:/[!/]* | /https:/[!/]*)
		target=${target#/}
		printf '%s://%s\n' "${target%%:/*}" "${target#*:/}" ;;
	*)	printf '%s\n' "${base%/}$target" ;;
	esac
}

# The path as it came, percent-encoded: so it is one line, and none of the words that purge
# more.
path() {
	target=$REQUEST_URI
	if [ -n "${WEBCACHEFS_PREFIX:-}" ]; then
		case $target in
		"$WEBCACHEFS_PREFIX"/*) target=${target#"$WEBCACHEFS_PREFIX"} ;;
		*) answer '400 Bad Request' "not below $WEBCACHEFS_PREFIX" ;;
		esac
	fi
	case $target in
	/*) ;;
	*) answer '400 Bad Request' 'not a path' ;;
	esac
	star=
	case $target in
	*\*)	star='*' target=${target%\*} ;;
	esac
	target=$(url | sed 's/[*\\]/\\&/g')$star
}

order=purge
[ "${HTTP_FASTLY_SOFT_PURGE:-}" != 1 ] || order=refresh
[ -n "${WEBCACHEFS_MOUNT:-}" ] || answer '500 Internal Server Error' 'WEBCACHEFS_MOUNT is not set'

case ${REQUEST_METHOD:-} in
PURGE)
	if [ -n "${HTTP_SURROGATE_KEY:-}" ]; then
		targets=$(tags)
	else
		path
		targets=$target
	fi
	run <<-END
	$targets
	END
	;;
POST)
	if [ -n "${CONTENT_LENGTH:-}" ]; then
		body=$(mktemp) || answer '500 Internal Server Error' 'no temporary file'
		trap 'rm -f "$body"' EXIT
		head -c "$CONTENT_LENGTH" >"$body"
		run <"$body"
	fi
	answer '411 Length Required' 'targets, one a line'
	;;
*)
	answer '405 Method Not Allowed' 'PURGE or POST'
	;;
esac
