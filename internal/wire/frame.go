package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Channel says what a message of an attached dyno carries. Each message is a
// binary one of a WebSocket: the channel's byte, then the payload.
type Channel byte

// The channels. The client sends Stdin, StdinClosed, Resize and Alive; the
// server sends Stdout, Stderr, Exit and Alive.
const (
	Stdin       Channel = 0
	Stdout      Channel = 1
	Stderr      Channel = 2
	Resize      Channel = 3 // a TerminalSize in JSON
	Exit        Channel = 4 // an ExitStatus in JSON; it is the last message
	StdinClosed Channel = 5 // nothing more comes on Stdin
	Alive       Channel = 6 // says nothing; see AliveEvery
)

const (
	// MaxPayload is the most bytes that a message carries.
	MaxPayload = 32 << 10
	// MaxMessage is how long a message can be, in bytes.
	MaxMessage = MaxPayload + 1
	// AliveEvery is how often each side sends Alive, so that proxies keep the
	// connection. WebSocket's own pings would not do: who is held up by a slow
	// terminal does not answer them, though it is there.
	AliveEvery = 15 * time.Second
	// AliveWithin is after how long without a message the other side is gone.
	AliveWithin = 4 * AliveEvery
)

// A TerminalSize is that of the client's terminal, in characters.
type TerminalSize struct {
	Columns uint16 `json:"columns"`
	Rows    uint16 `json:"rows"`
}

// An ExitStatus is how an attached dyno ended.
type ExitStatus struct {
	Code int `json:"code"`
}

var errFrame = errors.New("the message is none of an attached dyno")

// AppendFrame appends a message to dst.
func AppendFrame(dst []byte, ch Channel, payload []byte) []byte {
	return append(append(dst, byte(ch)), payload...)
}

// ParseFrame takes a message apart. The payload is a part of it.
func ParseFrame(message []byte) (Channel, []byte, error) {
	if len(message) == 0 || len(message) > MaxMessage || message[0] > byte(Alive) {
		return 0, nil, errFrame
	}
	return Channel(message[0]), message[1:], nil
}

// ParseSize reads the payload of Resize. A size of nothing is refused.
func ParseSize(payload []byte) (TerminalSize, error) {
	var size TerminalSize
	if err := json.Unmarshal(payload, &size); err != nil || size.Columns == 0 || size.Rows == 0 {
		return TerminalSize{}, fmt.Errorf("terminal size: %w", errFrame)
	}
	return size, nil
}

// ParseExit reads the payload of Exit.
func ParseExit(payload []byte) (ExitStatus, error) {
	status := ExitStatus{Code: -1}
	if err := json.Unmarshal(payload, &status); err != nil || status.Code < 0 {
		return ExitStatus{}, fmt.Errorf("exit status: %w", errFrame)
	}
	return status, nil
}
