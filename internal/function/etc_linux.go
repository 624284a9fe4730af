package function

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// hostSettings are what functions see of the host's /etc, as patterns: what programs
// need to find hosts, authorities, libraries, fonts and the time. The rest is
// nobody's business: configurations there have passwords and tokens in them, the
// gateway's own among them, and not only in files that the system hides.
var hostSettings = [...]string{
	// names
	"host.conf", "hosts", "resolv.conf", "nsswitch.conf", "gai.conf", "networks", "protocols", "services",
	// authorities, without private keys
	"ssl/certs", "ssl/cert.pem", "ssl/ca-bundle.pem", "ssl/openssl.cnf", "ca-certificates.conf", "crypto-policies",
	"pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf", "pki/tls/ct_log_list.cnf",
	// libraries, and where links in /usr lead
	"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld-musl-*", "alternatives", "static",
	// the system and the time
	"*-release", "debian_version", "localtime", "timezone", "locale.alias", "locale.conf",
	// what runtimes and programs of functions bring along
	"python*", "java-*", "perl", "php", "dotnet", "ImageMagick-*", "fonts", "magic", "magic.mime", "mime.types", "terminfo",
}

// settings shows of /etc what programs need.
func (b *blueprint) settings() error {
	for _, pattern := range hostSettings {
		paths, err := filepath.Glob("/etc/" + pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := b.setting(path); err != nil {
				return err
			}
		}
	}
	return b.users()
}

// setting shows a file or folder of /etc. A link into what is shown anyway stays
// one: the name of a time zone is read from it.
func (b *blueprint) setting(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil // it leads nowhere on the host, too
	}
	if to, err := os.Readlink(path); err == nil && isBelow(real, "/usr", "/nix", "/gnu") {
		if err := os.MkdirAll(filepath.Dir(b.Root+path), 0o755); err != nil {
			return err
		}
		return os.Symlink(to, b.Root+path)
	}
	return b.show(path, path)
}

// users names the function's user, as programs look it up, and nobody of the host.
func (b *blueprint) users() error {
	if err := os.MkdirAll(b.Root+"/etc", 0o755); err != nil {
		return err
	}
	uid := strconv.Itoa(int(b.UID))
	for name, line := range map[string]string{
		"passwd": "root:x:0:0:root:/root:/sbin/nologin\n$:x:%[1]s:%[1]s::/home/$:/sbin/nologin\n",
		"group":  "root:x:0:\n$:x:%[1]s:\n",
	} {
		text := fmt.Sprintf(strings.ReplaceAll(line, "$", "sbx_user1051"), uid)
		if err := os.WriteFile(b.Root+"/etc/"+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
