package verifier

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
)

const (
	headerLength = 64
	recordLength = 16
	maxRecords   = 1 << 26
	mediaType    = "application/vnd.tokenpair.revocations"
)

var (
	magic           = []byte("TPR1")
	errInvalidFrame = errors.New("not a frame of the revocation feed")
)

// fingerprint is the first 8 bytes of SHA-256 of a text that names what is revoked.
type fingerprint [8]byte

type entry struct{ until, value uint32 }

type record struct {
	fingerprint fingerprint
	entry
}

type frame struct {
	full, confirm bool
	age, held     uint32
	t             uint64
	keyVersion    uint32
	cursor        string
	records       []record
}

// readFrame reads one frame. It returns io.EOF or io.ErrUnexpectedEOF if the bytes end before the frame does.
func readFrame(reader io.Reader) (*frame, error) {
	var header [headerLength]byte
	if _, err := io.ReadFull(reader, header[:4]); err != nil {
		return nil, err
	}
	if !bytes.Equal(header[:4], magic) {
		return nil, errInvalidFrame
	}
	if _, err := io.ReadFull(reader, header[4:]); err != nil {
		return nil, noEOF(err)
	}
	number := func(at int) uint32 { return binary.BigEndian.Uint32(header[at:]) }
	count, t := number(8), binary.BigEndian.Uint64(header[16:])
	if count > maxRecords || t >= 1<<53 {
		return nil, errInvalidFrame
	}
	f := &frame{
		full:       number(4)&1 != 0,
		confirm:    number(4)&2 != 0,
		age:        number(12),
		t:          t,
		keyVersion: number(24),
		held:       number(28),
		cursor:     hex.EncodeToString(header[32:64]),
	}
	// The list grows as bytes arrive: a header alone must not take a gigabyte.
	var data [recordLength]byte
	for i := uint32(0); i < count; i++ {
		if _, err := io.ReadFull(reader, data[:]); err != nil {
			return nil, noEOF(err)
		}
		r := record{entry: entry{binary.BigEndian.Uint32(data[8:]), binary.BigEndian.Uint32(data[12:])}}
		copy(r.fingerprint[:], data[:8])
		f.records = append(f.records, r)
	}
	return f, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
