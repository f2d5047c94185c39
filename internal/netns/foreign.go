package netns

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
)

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
