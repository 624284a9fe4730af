package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// KeyBytes is the size of a key.
const KeyBytes = 32

// KeyFileName is the key file's usual name, beside the database.
const KeyFileName = "gatehouse.key"

// ErrKey is wrapped by every error about a key that is missing or the wrong one.
var ErrKey = errors.New("seal: no such key")

// ErrDamaged is returned for a sealed value that was changed, cut, or sealed
// for another place.
var ErrDamaged = errors.New("seal: sealed value is damaged or belongs elsewhere")

// A Sealer seals with one key and opens what was sealed with it. It is safe for
// concurrent use.
type Sealer struct {
	path string // empty for a given key

	mu   sync.Mutex
	id   string
	aead cipher.AEAD
}

// A sealed value is a format byte, the key's id, a random nonce and the
// ciphertext. The id is a hash of the key, so a wrong key is told from a
// damaged value.
const (
	format     = 1
	idBytes    = 8
	nonceBytes = 12
	headBytes  = 1 + idBytes + nonceBytes
)

// New returns a Sealer with a key the operator gives.
func New(key []byte) (*Sealer, error) {
	s := &Sealer{}
	if err := s.use(key); err != nil {
		return nil, err
	}
	return s, nil
}

// ParseKey reads a key as text: 32 bytes in base64 or hexadecimal.
func ParseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == KeyBytes {
		return key, nil
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if key, err := enc.DecodeString(text); err == nil && len(key) == KeyBytes {
			return key, nil
		}
	}
	return nil, fmt.Errorf("seal: a key is %d bytes in base64 or hexadecimal", KeyBytes)
}

// OpenFile returns a Sealer with the key in a file. A file that others can read
// is refused. When there is none, one is made at the first KeyID or Seal, not
// before: a database whose key was lost must not find a new one in its place.
func OpenFile(path string) (*Sealer, error) {
	s := &Sealer{path: path}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return s, nil
}

func (s *Sealer) use(key []byte) error {
	if len(key) != KeyBytes {
		return fmt.Errorf("seal: a key is %d bytes, not %d", KeyBytes, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	sum := sha256.Sum256(append([]byte("gatehouse key id\n"), key...))
	s.id, s.aead = hex.EncodeToString(sum[:idBytes]), aead
	return nil
}

func (s *Sealer) load() error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("seal: key file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("seal: key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("seal: key file %s is not a regular file", s.path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("seal: key file %s can be read by others (mode %04o); run chmod 600 on it, "+
			"and consider what it protects as known to them", s.path, info.Mode().Perm())
	}
	text := make([]byte, 256)
	n, err := f.Read(text)
	if err != nil {
		return fmt.Errorf("seal: key file %s: %w", s.path, err)
	}
	key, err := ParseKey(string(text[:n]))
	if err != nil {
		return fmt.Errorf("key file %s: %w", s.path, err)
	}
	return s.use(key)
}

// create makes the key file and has it on disk before anything is sealed.
func (s *Sealer) create() error {
	key := make([]byte, KeyBytes)
	rand.Read(key)                                                                  //nolint:errcheck // never fails
	tmp, err := os.CreateTemp(filepath.Dir(s.path), "."+filepath.Base(s.path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("seal: make key file: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // the link stays
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("seal: make key file: %w", err)
	}
	// A link never replaces a key that is there already.
	if err := os.Link(tmp.Name(), s.path); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("seal: make key file: %w", err)
	}
	dir, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return fmt.Errorf("seal: make key file: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("seal: make key file: %w", err)
	}
	return s.load()
}

// key returns the key in use, making it if asked to.
func (s *Sealer) key(make bool) (string, cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.id, s.aead, nil
	}
	if !make {
		return "", nil, fmt.Errorf("%w: key file %s is missing; restore it", ErrKey, s.path)
	}
	if err := s.create(); err != nil {
		return "", nil, err
	}
	return s.id, s.aead, nil
}

// KeyID names the key that Seal uses; it says nothing about the key itself.
func (s *Sealer) KeyID() (string, error) {
	id, _, err := s.key(true)
	return id, err
}

// Check tells whether values sealed with the key named can be opened.
func (s *Sealer) Check(keyID string) error {
	id, _, err := s.key(false)
	if err != nil {
		return err
	}
	if id == keyID {
		return nil
	}
	if s.path == "" {
		return fmt.Errorf("%w: the key given is another one (%s)", ErrKey, id)
	}
	return fmt.Errorf("%w: key file %s holds another one (%s); restore the right one", ErrKey, s.path, id)
}

// Seal encrypts plain. Only Open with the same context gives it back.
func (s *Sealer) Seal(plain, context []byte) ([]byte, error) {
	id, aead, err := s.key(true)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headBytes, headBytes+len(plain)+aead.Overhead())
	out[0] = format
	if _, err := hex.Decode(out[1:1+idBytes], []byte(id)); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	nonce := out[1+idBytes : headBytes]
	rand.Read(nonce) //nolint:errcheck // never fails
	return aead.Seal(out, nonce, plain, bind(out[:1+idBytes], context)), nil
}

// Open decrypts what Seal made.
func (s *Sealer) Open(sealed, context []byte) ([]byte, error) {
	if len(sealed) < headBytes || sealed[0] != format {
		return nil, ErrDamaged
	}
	if err := s.Check(hex.EncodeToString(sealed[1 : 1+idBytes])); err != nil {
		return nil, err
	}
	_, aead, err := s.key(false)
	if err != nil {
		return nil, err
	}
	nonce := sealed[1+idBytes : headBytes]
	plain, err := aead.Open(nil, nonce, sealed[headBytes:], bind(sealed[:1+idBytes], context))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// bind is what is authenticated beside the ciphertext.
func bind(head, context []byte) []byte {
	return append(append(make([]byte, 0, len(head)+len(context)), head...), context...)
}
