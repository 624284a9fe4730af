package stagecache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"unsafe"

	"gatehouse/internal/plan"
)

// A sealer encrypts responses with a key that is in no other place than memory and
// is forgotten when its cluster is flushed or ends: nothing of them can be read
// then, wherever their bytes have gone (swap, a dump of memory).
type sealer struct{ aead cipher.AEAD }

// sealing is the cluster's sealer.
func (c *Cluster) sealing() (*sealer, error) {
	if s := c.sealer.Load(); s != nil {
		return s, nil
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	made := &sealer{aead}
	if !c.sealer.CompareAndSwap(nil, made) {
		return c.sealing()
	}
	return made, nil
}

// seal is a response in one sealed piece: the number of its headers, each name and
// value behind its length, the body.
func (s *sealer) seal(headers plan.Headers, body []byte) []byte {
	size := 4 + len(body)
	for _, h := range headers {
		size += 8 + len(h.Name) + len(h.Value)
	}
	plain := binary.BigEndian.AppendUint32(make([]byte, 0, size), uint32(len(headers)))
	for _, h := range headers {
		plain = appendText(appendText(plain, h.Name), h.Value)
	}
	plain = append(plain, body...)
	return s.aead.Seal(make([]byte, 0, len(plain)+s.aead.Overhead()), nil, plain, nil)
}

func appendText(dst []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(text))), text...)
}

// heldFrom is from how many bytes on a response that is opened counts as one that
// is held whole.
const heldFrom = 64 << 10

var errSeal = errors.New("stagecache: a sealed response can't be opened")

// open puts a sealed response in an exchange, whose memory it takes.
func (s *sealer) open(x *plan.Exchange, sealed []byte) error {
	if len(sealed) > heldFrom {
		if err := x.Hold(len(sealed)); err != nil {
			return err
		}
	}
	start := len(x.Scratch)
	all, err := s.aead.Open(x.Scratch, nil, sealed, nil)
	if err != nil {
		return errors.Join(errSeal, err)
	}
	x.Scratch = all
	r := &x.Response
	r.Headers = r.Headers[:0]
	// What was sealed here is whole.
	n, plain := binary.BigEndian.Uint32(all[start:]), all[start+4:]
	for range n {
		var h plan.Header
		h.Name, plain = cutText(plain)
		h.Value, plain = cutText(plain)
		r.Headers = append(r.Headers, h)
	}
	r.Body = plain[:len(plain):len(plain)]
	return nil
}

// cutText cuts the first text off.
func cutText(b []byte) (string, []byte) {
	n := binary.BigEndian.Uint32(b)
	text := b[4 : 4+n]
	return unsafe.String(unsafe.SliceData(text), len(text)), b[4+n:]
}
