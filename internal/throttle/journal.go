package throttle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// The journal is a file of entries that are only ever appended. Of a client's
// day the last entry counts. Each entry is its length (two bytes), the CRC-32C of
// the rest (four), its kind (one) and what that says, all numbers little endian.
// Behind the first entry that is damaged nothing is read: that is where the last
// write was when the machine stopped.
const (
	journalName   = "usage.journal"
	journalHeader = "gatehouse usage 1\n"

	entryHead = 7
	// A client entry names one: its number (four bytes) and four texts, each
	// behind its length (two bytes).
	clientEntry = 1
	// A day entry has the client's number and the day (four bytes each), then used,
	// reserved, remaining and granted (eight bytes each).
	dayEntry  = 2
	dayLength = 4 + 4 + 4*8

	maxEntry = 4 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A journalDay is what an entry says of a client's day.
type journalDay struct {
	day                                int32
	used, reserved, remaining, granted int64
}

// A journalClient is a client with its days, oldest first; there is at least one.
type journalClient struct {
	id     ClientID
	number uint32
	days   []journalDay
}

// A journal is the file, open for appending. It isn't safe for concurrent use.
type journal struct {
	dir     string
	f       *os.File
	size    int64  // of what is there for good
	compact int64  // what size was after the last rewrite
	clients uint32 // the highest number of one
	buf     []byte
	// torn tells that something wasn't written that had to be.
	torn bool
}

// openJournal opens the journal of a directory. It returns the clients with
// their days from the oldest that is wanted; those without any are left out.
func openJournal(dir string, oldest int32) (*journal, []journalClient, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	read, err := readJournal(bufio.NewReaderSize(f, 1<<16), oldest)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("throttle: %s: %w", f.Name(), err), f.Close())
	}
	j := &journal{dir: dir, f: f, size: read.good, clients: read.highest}
	if j.size == 0 {
		j.buf = append(j.buf, journalHeader...)
		err = errors.Join(f.Truncate(0), j.sync(), syncDir(dir))
	} else {
		err = f.Truncate(j.size)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return j, read.clients, nil
}

// What a journal says when it is read.
type journalContents struct {
	clients []journalClient
	highest uint32 // number of a client
	good    int64  // how many bytes are whole entries
}

var errNotJournal = errors.New("it isn't a journal of usage that this release can read")

// readJournal reads a journal to its end or to where it is damaged.
func readJournal(r io.Reader, oldest int32) (journalContents, error) {
	var c journalContents
	head := make([]byte, len(journalHeader))
	n, err := io.ReadFull(r, head)
	if string(head[:n]) != journalHeader[:n] {
		return c, errNotJournal
	}
	if err != nil {
		return c, ended(err)
	}
	c.good = int64(n)
	ids := map[uint32]ClientID{}
	days := map[uint32]map[int32]journalDay{}
	entry := make([]byte, maxEntry)
	for {
		kind, text, err := readEntry(r, entry)
		if err != nil {
			if err = ended(err); err != nil {
				return c, err
			}
			break
		}
		switch kind {
		case clientEntry:
			number, id, ok := parseClient(text)
			if !ok {
				return c, errNotJournal
			}
			ids[number] = id
			c.highest = max(c.highest, number)
		case dayEntry:
			if len(text) != dayLength {
				return c, errNotJournal
			}
			number, d := parseDay(text)
			if days[number] == nil {
				days[number] = map[int32]journalDay{}
			}
			days[number][d.day] = d
		default:
			return c, errNotJournal
		}
		c.good += int64(entryHead + len(text))
	}
	for number, id := range ids {
		client := journalClient{id: id, number: number}
		for _, d := range days[number] {
			if d.day >= oldest {
				client.days = append(client.days, d)
			}
		}
		if len(client.days) == 0 {
			continue
		}
		slices.SortFunc(client.days, func(a, b journalDay) int { return int(a.day) - int(b.day) })
		c.clients = append(c.clients, client)
	}
	return c, nil
}

// errDamaged is the entry that wasn't written to its end.
var errDamaged = errors.New("a damaged entry")

// ended is the error of reading that isn't the journal's end.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errDamaged) {
		return nil
	}
	return err
}

// readEntry reads one entry into a buffer.
func readEntry(r io.Reader, buf []byte) (kind byte, text []byte, err error) {
	var head [entryHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.LittleEndian.Uint16(head[:]))
	if n > len(buf) {
		return 0, nil, errDamaged
	}
	if _, err := io.ReadFull(r, buf[:n]); err != nil {
		return 0, nil, err
	}
	if sum := crc32.Update(crc32.Update(0, castagnoli, head[6:]), castagnoli, buf[:n]); sum != binary.LittleEndian.Uint32(head[2:]) {
		return 0, nil, errDamaged
	}
	return head[6], buf[:n], nil
}

// entry appends an entry to what sync writes.
func (j *journal) entry(kind byte, write func([]byte) []byte) {
	start := len(j.buf)
	j.buf = append(j.buf, 0, 0, 0, 0, 0, 0, kind)
	j.buf = write(j.buf)
	binary.LittleEndian.PutUint16(j.buf[start:], uint16(len(j.buf)-start-entryHead))
	binary.LittleEndian.PutUint32(j.buf[start+2:], crc32.Checksum(j.buf[start+6:], castagnoli))
}

// client appends who has a number.
func (j *journal) client(number uint32, id ClientID) {
	j.entry(clientEntry, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, number)
		for _, text := range [...]string{id.Account, id.Region, id.PlanID, id.KeyID} {
			b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
			b = append(b, text...)
		}
		return b
	})
}

func parseClient(b []byte) (number uint32, id ClientID, ok bool) {
	if len(b) < 4 {
		return 0, id, false
	}
	number, b = binary.LittleEndian.Uint32(b), b[4:]
	for _, text := range [...]*string{&id.Account, &id.Region, &id.PlanID, &id.KeyID} {
		if len(b) < 2 {
			return 0, id, false
		}
		n := int(binary.LittleEndian.Uint16(b))
		if b = b[2:]; n > len(b) {
			return 0, id, false
		}
		*text, b = string(b[:n]), b[n:]
	}
	return number, id, len(b) == 0
}

// day appends what is known of a day of a client.
func (j *journal) day(client uint32, d journalDay) {
	j.entry(dayEntry, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, client)
		b = binary.LittleEndian.AppendUint32(b, uint32(d.day))
		for _, n := range [...]int64{d.used, d.reserved, d.remaining, d.granted} {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
		return b
	})
}

func parseDay(b []byte) (client uint32, d journalDay) {
	client, d.day = binary.LittleEndian.Uint32(b), int32(binary.LittleEndian.Uint32(b[4:]))
	for i, n := range [...]*int64{&d.used, &d.reserved, &d.remaining, &d.granted} {
		*n = int64(binary.LittleEndian.Uint64(b[8+8*i:]))
	}
	return client, d
}

// sync writes what was appended, to the disk. What it couldn't write is gone, and
// the journal is torn until it is written anew.
func (j *journal) sync() error {
	if len(j.buf) == 0 {
		return nil
	}
	n, err := j.f.WriteAt(j.buf, j.size)
	if err == nil {
		err = j.f.Sync()
	}
	j.buf = j.buf[:0]
	if err != nil {
		j.torn = true
		// Entries behind half of one wouldn't be read.
		return errors.Join(err, j.f.Truncate(j.size))
	}
	j.size += int64(n)
	return nil
}

// minOvergrown is how much a journal may grow before it is worth a rewrite.
const minOvergrown = 1 << 20

// overgrown tells whether the journal should be written anew.
func (j *journal) overgrown() bool { return j.torn || j.size > 2*j.compact+minOvergrown }

// rewrite puts a journal with what fill appends in the place of this one, which
// stays as it is if that fails.
func (j *journal) rewrite(fill func(*journal)) (err error) {
	name := filepath.Join(j.dir, "."+journalName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	fresh := &journal{dir: j.dir, f: f, clients: j.clients, buf: []byte(journalHeader)}
	fill(fresh)
	if err := fresh.sync(); err != nil {
		return errors.Join(err, f.Close(), os.Remove(name))
	}
	if err := os.Rename(name, filepath.Join(j.dir, journalName)); err != nil {
		return errors.Join(err, f.Close(), os.Remove(name))
	}
	old := j.f
	fresh.compact = fresh.size
	*j = *fresh
	_ = old.Close() // nothing that is in it matters any more
	return syncDir(j.dir)
}

func (j *journal) close() error { return j.f.Close() }

// syncDir makes what a directory's files are called last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
