package authorize

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"gatehouse/internal/awswire/sigv4"
)

// asymmetricSignature signs GET /dev/pets/1 for the regions eu-*.
func asymmetricSignature(t testing.TB) string {
	t.Helper()
	pair, err := sigv4.KeyPair("AKIAANN", "s3cret/+")
	if err != nil {
		t.Fatal(err)
	}
	canonical := strings.Join([]string{
		"GET", "/dev/pets/1", "", "host:" + host, "x-amz-date:20260506T070809Z", "x-amz-region-set:eu-*", "",
		"host;x-amz-date;x-amz-region-set", sigv4.EmptyHash,
	}, "\n")
	sum := sha256.Sum256([]byte("AWS4-ECDSA-P256-SHA256\n20260506T070809Z\n20260506/execute-api/aws4_request\n" + sigv4.Hash([]byte(canonical))))
	signature, err := ecdsa.SignASN1(rand.Reader, pair, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(signature)
}

// chunkSignature signs a chunk that follows another signature.
func chunkSignature(key []byte, previous, data string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("AWS4-HMAC-SHA256-PAYLOAD\n20260506T070809Z\n20260506/eu-west-1/execute-api/aws4_request\n" + previous + "\n" + sigv4.EmptyHash + "\n" + sigv4.Hash([]byte(data))))
	return hex.EncodeToString(h.Sum(nil))
}
