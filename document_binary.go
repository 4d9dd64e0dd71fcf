package seshat

// MarshalBinary returns the document as msgpack, which keeps what JSON does
// not: bytes, times, and the kinds of numbers.
func (d Document) MarshalBinary() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	return []byte(d.enc), nil
}

// UnmarshalBinary reads what MarshalBinary wrote, and copies it. ErrInvalid:
// anything else.
func (d *Document) UnmarshalBinary(data []byte) error {
	enc := string(data)
	if checkDocument(enc) != nil {
		return invalid("document", "is not what MarshalBinary writes")
	}
	*d = Document{enc: enc}
	return nil
}
