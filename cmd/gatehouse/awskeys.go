package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

// awsKeys are the operator's keys for AWS's services: those of the settings, else
// of the environment, else of the file that AWS's tools share, which is read again
// when it has changed.
type awsKeys struct {
	file, profile string
	given         sigv4.Keys // without an id where the file has them

	last atomic.Pointer[readKeys]
	mu   sync.Mutex // of who reads the file
}

// readKeys are what the file said.
type readKeys struct {
	keys     sigv4.Keys
	err      error
	modified time.Time
	looked   time.Time
}

// keysLooked is how often the file is looked at.
const keysLooked = 5 * time.Second

// anyKeys are for endpoints other than AWS where the operator has none: what is
// there to try things out takes any.
var anyKeys = sigv4.Keys{AccessKeyID: "test", Secret: "test"}

var errNoAWSKeys = errors.New("there are no keys to call AWS with: give --aws-access-key-id and --aws-secret-access-key, " +
	"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in AWS's shared credentials file")

// newAWSKeys finds the operator's keys.
func newAWSKeys(c *config, getenv func(string) string) *awsKeys {
	k := &awsKeys{
		given: sigv4.Keys{AccessKeyID: c.AWSAccessKeyID, Secret: c.AWSSecretAccessKey, Token: c.AWSSessionToken},
		file:  getenv("AWS_SHARED_CREDENTIALS_FILE"), profile: getenv("AWS_PROFILE"),
	}
	if id, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"); k.given.AccessKeyID == "" && k.profile == "" && id != "" && secret != "" {
		k.given = sigv4.Keys{AccessKeyID: id, Secret: secret, Token: getenv("AWS_SESSION_TOKEN")}
	}
	if k.profile == "" {
		k.profile = "default"
	}
	if home, err := os.UserHomeDir(); k.file == "" && err == nil {
		k.file = filepath.Join(home, ".aws", "credentials")
	}
	return k
}

// of returns the keys at a moment. The error says what to do.
func (k *awsKeys) of(now time.Time) (sigv4.Keys, error) {
	if k.given.AccessKeyID != "" {
		return k.given, nil
	}
	if last := k.last.Load(); last != nil && now.Sub(last.looked) < keysLooked {
		return last.keys, last.err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	last := k.last.Load()
	if last != nil && now.Sub(last.looked) < keysLooked {
		return last.keys, last.err
	}
	next := &readKeys{looked: now}
	info, err := os.Stat(k.file)
	switch {
	case err != nil:
		next.err = errNoAWSKeys
	case last != nil && info.ModTime().Equal(last.modified):
		next.keys, next.err, next.modified = last.keys, last.err, last.modified
	default:
		next.modified = info.ModTime()
		next.keys, next.err = readProfile(k.file, k.profile)
	}
	k.last.Store(next)
	return next.keys, next.err
}

// readProfile reads a profile's keys.
func readProfile(file, profile string) (sigv4.Keys, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return sigv4.Keys{}, err
	}
	var keys sigv4.Keys
	within := false
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "["); ok {
			within = strings.TrimSpace(strings.TrimSuffix(name, "]")) == profile
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		if value = strings.TrimSpace(value); !within {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "aws_access_key_id":
			keys.AccessKeyID = value
		case "aws_secret_access_key":
			keys.Secret = value
		case "aws_session_token":
			keys.Token = value
		}
	}
	if err := lines.Err(); err != nil {
		return sigv4.Keys{}, err
	}
	if keys.AccessKeyID == "" || keys.Secret == "" {
		return sigv4.Keys{}, fmt.Errorf("%w; %s has no keys of the profile %q", errNoAWSKeys, file, profile)
	}
	return keys, nil
}
