package acmeissuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mholt/acmez/v3/acme"
)

// A Binding is an account at an authority that isn't of ACME (RFC 8555, 7.3.4).
type Binding struct {
	// KeyID is the identifier that the authority gave, and Key the secret.
	KeyID string
	Key   []byte
}

// ParseBinding reads what an authority gave: the key in base64, of either
// alphabet, padded or not. Its error doesn't tell the key.
func ParseBinding(keyID, key string) (*Binding, error) {
	text := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(strings.TrimSpace(key), "="))
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, errors.New("the key of the account at the authority isn't base64")
	}
	return &Binding{KeyID: keyID, Key: raw}, nil
}

// A savedAccount is what is kept of an account besides its key.
type savedAccount struct {
	// Location is the account's URL.
	Location string
	Contact  []string
}

// signUp is the account, known or new: an authority knows one by its key. One
// that was found before costs no request.
func (i *Issuer) signUp(ctx context.Context, client *acme.Client) (acme.Account, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.account != nil {
		return *i.account, nil
	}
	key, err := i.accountKey()
	if err != nil {
		return acme.Account{}, err
	}
	account := acme.Account{PrivateKey: key, Status: acme.StatusValid}
	saved, err := i.savedAccount()
	if err != nil {
		return account, err
	}
	if saved.Location == "" {
		if account, err = i.newAccount(ctx, client, key); err != nil {
			return account, err
		}
	} else {
		account.Location, account.Contact = saved.Location, saved.Contact
		i.tellContact(ctx, client, &account)
	}
	if err := i.save(savedAccount{account.Location, account.Contact}); err != nil {
		return account, err
	}
	i.account = &account
	return account, nil
}

func (i *Issuer) newAccount(ctx context.Context, client *acme.Client, key crypto.Signer) (acme.Account, error) {
	wanted := acme.Account{TermsOfServiceAgreed: true, PrivateKey: key, Contact: i.contact()}
	if b := i.options.Binding; b != nil {
		err := wanted.SetExternalAccountBinding(ctx, client, acme.EAB{KeyID: b.KeyID, MACKey: base64.RawURLEncoding.EncodeToString(b.Key)})
		if err != nil {
			return wanted, err
		}
	}
	account, err := client.NewAccount(ctx, wanted)
	account.Contact = wanted.Contact // some authorities don't tell what they know
	if err == nil && account.Status != acme.StatusValid {
		err = fmt.Errorf("the account %s is %s", account.Location, account.Status)
	}
	if err == nil {
		i.options.Log.Info("signed up at the authority", "account", account.Location)
	}
	return account, err
}

// contact is whom the authority may write to.
func (i *Issuer) contact() []string {
	if i.options.Email == "" {
		return nil
	}
	return []string{"mailto:" + i.options.Email}
}

// tellContact tells the authority of a new address. One that it doesn't take
// stops no order.
func (i *Issuer) tellContact(ctx context.Context, client *acme.Client, account *acme.Account) {
	contact := i.contact()
	if len(contact) == 0 || slices.Equal(contact, account.Contact) {
		return
	}
	_, err := client.UpdateAccount(ctx, acme.Account{Location: account.Location, PrivateKey: account.PrivateKey, Contact: contact})
	if err != nil {
		i.options.Log.Warn("the authority wasn't told the new address of the account", "address", i.options.Email, "error", err)
		return
	}
	account.Contact = contact
	i.options.Log.Info("the authority was told the new address of the account", "address", i.options.Email)
}

// forget has the next order ask for the account: the authority doesn't know it
// at the URL it had.
func (i *Issuer) forget(account acme.Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.account == nil || i.account.Location != account.Location {
		return
	}
	i.account = nil
	if err := i.save(savedAccount{}); err != nil {
		i.options.Log.Error("the account at the authority couldn't be forgotten", "error", err)
	}
}

// file is the path of a file of the account at the directory. Another binding is
// another account.
func (i *Issuer) file(extension string) string {
	name := i.options.Directory
	if i.options.Binding != nil {
		name += "\n" + i.options.Binding.KeyID
	}
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(i.options.Dir, "account-"+hex.EncodeToString(sum[:8])+extension)
}

func (i *Issuer) savedAccount() (saved savedAccount, err error) {
	text, err := os.ReadFile(i.file(".json"))
	if errors.Is(err, os.ErrNotExist) {
		return saved, nil
	}
	if err != nil {
		return saved, err
	}
	if err := json.Unmarshal(text, &saved); err != nil {
		return saved, fmt.Errorf("%s: %w", i.file(".json"), err)
	}
	return saved, nil
}

func (i *Issuer) save(saved savedAccount) error {
	text, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(i.file(".json")); err == nil && string(old) == string(text) {
		return nil
	}
	return writeFile(i.file(".json"), text)
}

// accountKey reads or makes the key of the account at the directory.
func (i *Issuer) accountKey() (crypto.Signer, error) {
	file := i.file(".pem")
	text, err := os.ReadFile(file)
	if err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s holds no key", file)
		}
		return x509.ParseECPrivateKey(block.Bytes)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeFile(file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// writeFile writes a file as a whole, for the owner alone.
func writeFile(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".account-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
