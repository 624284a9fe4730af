package http1

import (
	"strconv"

	"gatehouse/internal/plan"
)

// AppendHeader appends one header line.
func AppendHeader(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendStatus appends a status line. Codes without a registered phrase have
// an empty one.
func AppendStatus(dst []byte, status int, phrase string) []byte {
	if status == 200 {
		return append(dst, "HTTP/1.1 200 OK\r\n"...)
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, phrase...)
	return append(dst, "\r\n"...)
}

// AppendChunkSize appends the size line of a chunk.
func AppendChunkSize(dst []byte, size int) []byte {
	dst = strconv.AppendUint(dst, uint64(size), 16)
	return append(dst, "\r\n"...)
}

// PassOn tells whether a header goes on to the next hop. names tells that a
// Connection header among all lists header names.
func PassOn(all plan.Headers, name string, names bool) bool {
	return !HopByHop(name) && !(names && Named(all, name))
}
