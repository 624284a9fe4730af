package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatehouse/internal/s3object"
	"gatehouse/internal/truststore"
)

// Options are what a Keeper works with. Zero values are as noted.
type Options struct {
	// Dir is where copies are kept. It is made if it isn't there.
	Dir string
	// S3 is where s3:// is; without it such truststores are refused.
	S3 *s3object.Store
	// Files allows file:// URIs: who may manage the gateway can then have it tell
	// whether a file of its machine is a truststore, and what subjects it names.
	Files bool
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
}

// readTime is how long reading a truststore from S3 may take.
const readTime = 10 * time.Second

// A Keeper fetches and keeps truststores. It may be used by several goroutines.
type Keeper struct {
	Options

	mu sync.Mutex
	// unused are the copies that Collect found nobody to name, and since when.
	unused map[string]time.Time
}

// New makes a keeper.
func New(o Options) (*Keeper, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	k := &Keeper{Options: o, unused: map[string]time.Time{}}
	return k, os.MkdirAll(o.Dir, 0o700)
}

// ErrNotKept tells that a truststore was read and couldn't be copied.
var ErrNotKept = errors.New("the copy of a truststore can't be written")

// Fetch reads a truststore afresh, keeps a copy, and returns the copy's name and the
// warnings about it. version is that of an S3 object, or what a file's content has to
// hash to (SHA-256 in hexadecimal); "" is what is there now. Its errors are for who
// asked, but for ErrNotKept.
//
// A copy is named by what is in it: who has another one read from the same place
// changes nothing for those who had it read before.
func (k *Keeper) Fetch(ctx context.Context, uri, version string) (name string, warnings []string, err error) {
	text, err := k.read(ctx, uri, version)
	if err != nil {
		return "", nil, err
	}
	if _, warnings, err = truststore.Parse(text, k.Clock()); err != nil {
		return "", nil, err
	}
	// Only of what is a truststore: the hash of another file is nobody's business.
	if have := contentVersion(text); strings.HasPrefix(uri, "file://") && version != "" && version != have {
		return "", nil, errors.New("The version of a truststore in a file is the SHA-256 of its content, in hexadecimal: there it is " + have)
	}
	if text = certificates(text); len(text) > truststore.MaxBytes {
		return "", nil, tooLarge()
	}
	name = contentVersion(text)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.unused, name)
	if err := k.save(k.file(name), text); err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	return name, warnings, nil
}

// certificates are those of a text. What else it has, a private key perhaps, isn't
// to be copied.
func certificates(text []byte) []byte {
	var list []byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			list = append(list, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
		}
	}
	return list
}

// Kept returns a copy by its name.
func (k *Keeper) Kept(name string) (*truststore.Store, error) {
	text, err := os.ReadFile(k.file(name))
	if err != nil {
		return nil, err
	}
	s, _, err := truststore.Parse(text, k.Clock())
	return s, err
}

// OldName is the name of a copy that a release before this one made.
func OldName(uri, version string) string { return contentVersion([]byte(uri + "\x00" + version)) }

// file is where a copy is.
func (k *Keeper) file(name string) string { return filepath.Join(k.Dir, name+copySuffix) }

const copySuffix = ".pem"

// save writes a file whole or not at all.
func (k *Keeper) save(name string, text []byte) (err error) {
	f, err := os.CreateTemp(k.Dir, unfinishedPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(k.Dir)
}

// syncDir makes what was renamed in a directory outlive a crash: the row that names
// a copy does.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read reads a truststore from where its URI says.
func (k *Keeper) read(ctx context.Context, uri, version string) ([]byte, error) {
	if path, ok := strings.CutPrefix(uri, "file://"); ok {
		if !k.Files {
			return nil, errors.New("Truststores in files aren't allowed here: the gateway's --truststore-files allows them")
		}
		return readFile(path)
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if !ok || !strings.HasPrefix(uri, "s3://") || !s3object.IsBucket(bucket) || key == "" {
		return nil, errors.New("Invalid truststore URI: it has to be s3://bucket/key")
	}
	if k.S3 == nil {
		return nil, errors.New("There is no S3 to read the truststore from: the gateway's --s3-endpoint names one")
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	text, err := k.S3.Get(ctx, bucket, key, version, truststore.MaxBytes)
	var refusal *s3object.Refusal
	switch {
	case errors.As(err, &refusal):
		return nil, fmt.Errorf("The truststore s3://%s/%s cannot be read: %w", bucket, key, err)
	case errors.Is(err, s3object.ErrTooLong):
		return nil, tooLarge()
	case err != nil:
		return nil, fmt.Errorf("The truststore cannot be read from S3: %w", err)
	}
	return text, nil
}

func tooLarge() error {
	return fmt.Errorf("The truststore is larger than %d bytes", truststore.MaxBytes)
}

// contentVersion is the version of a truststore that is a file.
func contentVersion(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// readFile reads a regular file: a device or a pipe might never end.
func readFile(path string) (text []byte, err error) {
	if !filepath.IsAbs(path) {
		return nil, errors.New("The path of a truststore has to be absolute")
	}
	if err := isRegular(os.Stat(path)); err != nil {
		return nil, err
	}
	// The path may be another file's meanwhile. A pipe that nobody writes to isn't
	// waited for.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("The truststore cannot be read: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := isRegular(f.Stat()); err != nil {
		return nil, err
	}
	return readAll(f)
}

func isRegular(info os.FileInfo, err error) error {
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return fmt.Errorf("The truststore cannot be read: %w", err)
	}
	return nil
}

// readAll reads no more than a truststore may have, and a byte to tell.
func readAll(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, truststore.MaxBytes+1))
}
