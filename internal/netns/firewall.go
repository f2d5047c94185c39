package netns

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
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
