package buildnet

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// readyChain is an empty chain whose presence says that the whole table is in
// place; its name changes with the rules.
const readyChain = "ready-1"

// A firewall is the host's part of the filter: one nftables table, and a rule
// in the chains of others that drop what they do not know.
//
// The namespaces' own policy rules keep ordinary programs in. The table is
// there for those that write raw packets, and for NAT.
type firewall struct {
	instance string
}

func (f *firewall) table() *nftables.Table {
	return &nftables.Table{Name: "slipway_" + f.instance, Family: nftables.TableFamilyINet}
}

// ensure puts the rules in place where they are not, and says whether it had
// to.
func (f *firewall) ensure() (changed bool, err error) {
	c, err := nftables.New()
	if err != nil {
		return false, fmt.Errorf("open nftables: %w", err)
	}
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return false, fmt.Errorf("list nftables chains (is nftables in this kernel?): %w", err)
	}
	ready := false
	for _, ch := range chains {
		ready = ready || ch.Table.Name == f.table().Name && ch.Name == readyChain
	}
	if !ready {
		if err := f.write(c); err != nil {
			return false, err
		}
	}
	opened, err := f.openOthers(c)
	return !ready || opened, err
}

// write makes the table in one transaction.
func (f *firewall) write(c *nftables.Conn) error {
	// Adding first makes deleting safe; both happen at once.
	t := c.AddTable(f.table())
	c.DelTable(t)
	c.AddTable(t)
	closed := &nftables.Set{Table: t, Name: "private", KeyType: nftables.TypeIPAddr, Interval: true}
	if err := c.AddSet(closed, intervals()); err != nil {
		return fmt.Errorf("write nftables: %w", err)
	}
	in := c.AddChain(&nftables.Chain{
		Name: "input", Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityRef(-10),
	})
	forward := c.AddChain(&nftables.Chain{
		Name: "forward", Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityRef(-10),
	})
	nat := c.AddChain(&nftables.Chain{
		Name: "postrouting", Table: t, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	c.AddChain(&nftables.Chain{Name: readyChain, Table: t})
	from, to := f.device(expr.MetaKeyIIFNAME), f.device(expr.MetaKeyOIFNAME)
	rules := []struct {
		chain *nftables.Chain
		exprs [][]expr.Any
	}{
		// Nothing of the host itself, not even its public addresses.
		{in, [][]expr.Any{from, verdict(expr.VerdictDrop)}},
		// No build reaches another, nor a private address, nor IPv6.
		{forward, [][]expr.Any{from, to, verdict(expr.VerdictDrop)}},
		{forward, [][]expr.Any{from, protocol(expr.CmpOpNeq), verdict(expr.VerdictDrop)}},
		{forward, [][]expr.Any{from, protocol(expr.CmpOpEq), destinationIn(closed), verdict(expr.VerdictDrop)}},
		// Nobody outside opens a connection to a build.
		{forward, [][]expr.Any{to, answers(), verdict(expr.VerdictAccept)}},
		{forward, [][]expr.Any{to, verdict(expr.VerdictDrop)}},
		{nat, [][]expr.Any{protocol(expr.CmpOpEq), sourceInPool(), {&expr.Masq{}}}},
	}
	for _, r := range rules {
		c.AddRule(&nftables.Rule{Table: t, Chain: r.chain, Exprs: flatten(r.exprs)})
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("write nftables: %w", err)
	}
	return nil
}

// remove takes the table and the rules in other chains away.
func (f *firewall) remove() error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	if err := f.closeOthers(c); err != nil {
		return err
	}
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return fmt.Errorf("list nftables: %w", err)
	}
	for _, t := range tables {
		if t.Name == f.table().Name {
			c.DelTable(t)
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("remove nftables: %w", err)
	}
	return nil
}

// openOthers lets builds through the chains that Docker made with iptables:
// its FORWARD chain drops what it does not know, and a drop anywhere is final.
func (f *firewall) openOthers(c *nftables.Conn) (changed bool, err error) {
	chain, err := foreignChain(c)
	if err != nil || chain == nil {
		return false, err
	}
	rules, err := c.GetRules(chain.Table, chain)
	if err != nil {
		return false, fmt.Errorf("list rules of %s: %w", chain.Name, err)
	}
	n := 0
	for _, r := range rules {
		if f.owns(r) {
			n++
		}
	}
	if n == 2 {
		return false, nil
	}
	for _, key := range []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME} {
		c.InsertRule(&nftables.Rule{
			Table: chain.Table, Chain: chain, UserData: f.mark(),
			Exprs: flatten([][]expr.Any{f.device(key), {&expr.Counter{}}, verdict(expr.VerdictAccept)}),
		})
	}
	if err := c.Flush(); err != nil {
		return false, fmt.Errorf("open %s: %w", chain.Name, err)
	}
	return true, nil
}

func (f *firewall) closeOthers(c *nftables.Conn) error {
	chain, err := foreignChain(c)
	if err != nil || chain == nil {
		return err
	}
	rules, err := c.GetRules(chain.Table, chain)
	if err != nil {
		return fmt.Errorf("list rules of %s: %w", chain.Name, err)
	}
	for _, r := range rules {
		if f.owns(r) {
			if err := c.DelRule(r); err != nil {
				return fmt.Errorf("close %s: %w", chain.Name, err)
			}
		}
	}
	return nil
}

// foreignChain finds where builds must be let through, nil for nowhere.
func foreignChain(c *nftables.Conn) (*nftables.Chain, error) {
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return nil, fmt.Errorf("list nftables chains: %w", err)
	}
	var found *nftables.Chain
	for _, ch := range chains {
		switch {
		case ch.Table.Name != "filter":
		case ch.Name == "DOCKER-USER":
			return ch, nil // made for rules like ours; Docker does not touch them
		case ch.Name == "FORWARD" && ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop:
			found = ch
		}
	}
	return found, nil
}

func (f *firewall) mark() []byte {
	return userdata.AppendString(nil, userdata.TypeComment, f.table().Name)
}

func (f *firewall) owns(r *nftables.Rule) bool {
	text, ok := userdata.GetString(r.UserData, userdata.TypeComment)
	return ok && text == f.table().Name
}

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
	for _, p := range private() {
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
