#!/bin/sh
# Fetches the packages of natural text that natural.txt lists and unpacks them:
# natural.sh DIRECTORY. It needs apt-get and dpkg-deb, and Python with pip.
set -eu
list=$(cd "$(dirname "$0")" && pwd)/natural.txt
into=$1
rm -rf "$into" "$into.part"
mkdir -p "$into.part/packages"
cd "$into.part"
grep -v '^#' "$list" | while read -r from name version sum; do
	case $from in
	debian)
		apt-get download -qq "$name=$version" 2>fetch.log || {
			echo "$name $version: apt-get does not have it: use Debian 12, or put the file of this version where apt-get looks" >&2
			exit 1
		}
		;;
	pypi)
		"${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: "$name==$version" >fetch.log 2>&1 || {
			echo "$name $version: pip does not find it" >&2
			exit 1
		}
		;;
	esac
	file=$(find . -maxdepth 1 -name '*.deb' -o -maxdepth 1 -name '*.whl')
	echo "$sum  $file" | sha256sum --check --quiet --strict - >&2 || {
		echo "$name $version: not the file that natural.txt lists" >&2
		exit 1
	}
	mkdir "packages/$name"
	case $from in
	debian) dpkg-deb -x "$file" "packages/$name" ;;
	pypi) "${PYTHON:-python3}" -m zipfile -e "$file" "packages/$name" ;;
	esac
	rm -- "$file"
done
cd - >/dev/null
mv "$into.part/packages" "$into"
rm -rf "$into.part"
