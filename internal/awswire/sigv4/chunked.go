package sigv4

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
)

// The forms of X-Amz-Content-Sha256 whose body comes in chunks.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
const (
	signedChunks   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedChunks = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// maxTrailers is how many header lines may follow the last chunk.
const maxTrailers = 32

// Chunks checks a body that came in chunks, each with a signature that goes on
// from the one before it, and returns what was in them. That is in the memory of
// body, which isn't what it was any more. form is the request's
// X-Amz-Content-Sha256, and s a signature that has been verified with key.
//
// Other streaming forms, those of version 4a and of events, can't be checked and
// are a Mismatch.
func (s *Signature) Chunks(form string, body, key []byte) ([]byte, error) {
	r := chunkReader{s: s, key: key, previous: s.signature, rest: body}
	switch form {
	case signedChunks:
		r.signed = true
	case signedTrailer:
		r.signed, r.trailer = true, true
	case unsignedChunks:
		r.trailer = true
	default:
		return nil, &Error{Reason: Mismatch, Message: mismatch}
	}
	if r.signed && s.Asymmetric || !r.read(body[:0]) {
		return nil, &Error{Reason: Mismatch, Message: mismatch}
	}
	return r.out, nil
}

// A chunkReader takes a body in chunks apart.
type chunkReader struct {
	s *Signature
	// signed tells that chunks, and the trailer, have signatures, trailer that
	// there is one.
	signed, trailer bool
	key             []byte
	previous        string
	rest, out       []byte
}

func (r *chunkReader) read(out []byte) bool {
	r.out = out
	for {
		size, signature, ok := r.head()
		if !ok || size > len(r.rest) {
			return false
		}
		data := r.rest[:size]
		r.rest = r.rest[size:]
		if r.signed && !r.follows(signature, "AWS4-HMAC-SHA256-PAYLOAD", EmptyHash+"\n"+Hash(data)) {
			return false
		}
		if size == 0 {
			break
		}
		var end bool
		if r.rest, end = bytes.CutPrefix(r.rest, []byte("\r\n")); !end {
			return false
		}
		r.out = append(r.out, data...)
	}
	if r.trailer {
		return r.end()
	}
	return len(r.rest) == 0 || string(r.rest) == "\r\n"
}

// head reads the line before a chunk's data.
func (r *chunkReader) head() (size int, signature string, ok bool) {
	line, rest, ok := bytes.Cut(r.rest, []byte("\r\n"))
	if !ok || len(line) > 128 {
		return 0, "", false
	}
	r.rest = rest
	digits, extension, _ := bytes.Cut(line, []byte(";"))
	n, err := strconv.ParseUint(string(digits), 16, 31)
	if err != nil {
		return 0, "", false
	}
	if !r.signed {
		return int(n), "", len(extension) == 0
	}
	value, ok := bytes.CutPrefix(extension, []byte("chunk-signature="))
	return int(n), string(value), ok
}

// end reads the header lines after the last chunk.
func (r *chunkReader) end() bool {
	var canonical []byte
	signature := ""
	for range maxTrailers {
		line, rest, ok := bytes.Cut(r.rest, []byte("\r\n"))
		if !ok && len(r.rest) > 0 {
			return false
		}
		r.rest = rest
		if len(line) == 0 {
			return len(rest) == 0 && (!r.signed || r.follows(signature, "AWS4-HMAC-SHA256-TRAILER", Hash(canonical)))
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return false
		}
		if string(name) == "x-amz-trailer-signature" {
			signature = string(value)
			continue
		}
		canonical = append(canonical, bytes.ToLower(name)...)
		canonical = append(trim(append(canonical, ':'), string(value)), '\n')
	}
	return false
}

// follows tells whether a signature goes on from the one before it, and makes it
// the one before the next.
func (r *chunkReader) follows(signature, algorithm, what string) bool {
	h := hmac.New(sha256.New, r.key)
	h.Write([]byte(algorithm + "\n" + r.s.timestamp + "\n" + r.s.Scope.String() + "\n" + r.previous + "\n" + what))
	want := hex.EncodeToString(h.Sum(nil))
	r.previous = want
	return len(signature) == len(want) && subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1
}
