package conformance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// sendHTTP2 is send over HTTP/2. Names of headers are in lower case there, both
// ways.
func sendHTTP2(ctx context.Context, base *url.URL, address string, config *tls.Config, text string) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if fields, body := pseudo(text, base); fields != nil {
		return sendFrames(ctx, base, address, config, fields, body)
	}
	// The bytes of HTTP/1.1 are a way to have the text parsed.
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(requestBytes(text, base.Host))))
	if err != nil {
		return nil, err
	}
	target := *req.URL
	target.Scheme, target.Host = "https", base.Host
	req.URL, req.RequestURI = &target, ""
	transport := &http.Transport{
		TLSClientConfig: config, ForceAttemptHTTP2: true, DisableCompression: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addressOf(base, address))
		},
	}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, refused(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	if res.ProtoMajor != 2 {
		return nil, fmt.Errorf("the answer came over %s", res.Proto)
	}
	a := &answer{line: res.Proto + " " + res.Status, status: res.StatusCode, tls: res.TLS}
	a.setHeaders(res.Header)
	a.body, err = io.ReadAll(res.Body)
	return a, err
}

// pseudo are the header fields of a request whose text has lines that begin with
// a colon, as ":authority: x"; nil for others. Such a request goes out as it
// stands: only :method, :scheme and :path are added where they are missing.
func pseudo(text string, base *url.URL) (fields []hpack.HeaderField, body string) {
	head, body, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n\n")
	lines := strings.Split(head, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	given := map[string]bool{}
	var regular []hpack.HeaderField
	for _, line := range lines[1:] {
		if rest, ok := strings.CutPrefix(line, ":"); ok {
			name, value, _ := strings.Cut(rest, ":")
			fields = append(fields, hpack.HeaderField{Name: ":" + name, Value: strings.TrimSpace(value)})
			given[name] = true
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		regular = append(regular, hpack.HeaderField{Name: strings.ToLower(name), Value: strings.TrimSpace(value)})
	}
	if fields == nil {
		return nil, ""
	}
	for _, f := range []hpack.HeaderField{{Name: ":path", Value: path}, {Name: ":scheme", Value: "https"}, {Name: ":method", Value: method}} {
		if !given[f.Name[1:]] {
			fields = slices.Insert(fields, 0, f)
		}
	}
	return append(fields, regular...), body
}

// sendFrames sends a request in frames of HTTP/2 and reads the answer.
func sendFrames(ctx context.Context, base *url.URL, address string, config *tls.Config, fields []hpack.HeaderField, body string) (*answer, error) {
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := dial(ctx, base, address, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // the answer is complete or has failed
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return nil, refused(err)
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		if err := encoder.WriteField(f); err != nil {
			return nil, err
		}
	}
	err = errors.Join(
		framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 24}),
		framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: body == ""}),
	)
	if err == nil && body != "" {
		err = framer.WriteData(1, true, []byte(body))
	}
	if err != nil {
		return nil, refused(err)
	}
	return readFrames(framer, stateOf(conn))
}

// readFrames reads the answer to the only request. A stream that is reset, or a
// connection that is ended, before it is whole is a refusal.
func readFrames(framer *http2.Framer, state *tls.ConnectionState) (*answer, error) {
	a := &answer{tls: state}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return nil, refused(err)
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if f.IsAck() {
				continue
			}
			if err := framer.WriteSettingsAck(); err != nil {
				return nil, refused(err)
			}
		case *http2.RSTStreamFrame:
			return nil, &refusal{fmt.Errorf("the stream was reset: %s", f.ErrCode)}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return nil, &refusal{fmt.Errorf("the connection was ended: %s", f.ErrCode)}
			}
		case *http2.MetaHeadersFrame:
			if status := f.PseudoValue("status"); status != "" {
				if a.status, err = strconv.Atoi(status); err != nil {
					return nil, err
				}
				a.line = "HTTP/2.0 " + status
			}
			for _, h := range f.RegularFields() {
				a.lines = append(a.lines, h.Name+": "+h.Value)
			}
			a.headers = fieldsOf(a.lines)
			if f.StreamEnded() {
				return a, nil
			}
		case *http2.DataFrame:
			a.body = append(a.body, f.Data()...)
			if f.StreamEnded() {
				return a, nil
			}
		}
	}
}
