package netns

import (
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// device matches all of our devices, as iptables' "-i prefix+" does.
func (f *firewall) device(key expr.MetaKey) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte(devicePrefix(f.instance) + "-")},
	}
}

func protocol(op expr.CmpOp) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: op, Register: 1, Data: []byte{unix.NFPROTO_IPV4}},
	}
}

// Offsets in an IPv4 header.
const (
	sourceOffset      = 12
	destinationOffset = 16
	addrSize          = 4
)

func destinationIn(s *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: destinationOffset, Len: addrSize},
		&expr.Lookup{SourceRegister: 1, SetName: s.Name, SetID: s.ID},
	}
}

func sourceInPool() []expr.Any {
	mask := make([]byte, addrSize)
	binary.BigEndian.PutUint32(mask, ^uint32(0)<<(32-pool().Bits()))
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: sourceOffset, Len: addrSize},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: addrSize, Mask: mask, Xor: make([]byte, addrSize)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: pool().Addr().AsSlice()},
	}
}

func answers() []expr.Any {
	state := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: addrSize, Mask: state, Xor: make([]byte, addrSize)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, addrSize)},
	}
}

func verdict(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }

func flatten(parts [][]expr.Any) []expr.Any {
	var out []expr.Any
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// intervals are the private ranges as nftables wants them: where each begins,
// and where what follows it does.
func intervals() []nftables.SetElement {
	var out []nftables.SetElement
	for _, p := range Private() {
		first := binary.BigEndian.Uint32(p.Addr().AsSlice())
		next := uint64(first) + 1<<(32-p.Bits())
		out = append(out, nftables.SetElement{Key: p.Addr().AsSlice()})
		if next < 1<<32 {
			end := make([]byte, addrSize)
			binary.BigEndian.PutUint32(end, uint32(next))
			out = append(out, nftables.SetElement{Key: end, IntervalEnd: true})
		}
	}
	return out
}
