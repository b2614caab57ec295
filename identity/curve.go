package identity

import (
	"encoding/hex"
	"math/big"
	"slices"
)

// Both curves are over the field of p = 2^255 - 19; d is the constant of edwards25519 (RFC 7748, section 4.1).
var (
	fieldPrime, _ = new(big.Int).SetString("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", 16)
	edwardsD, _   = new(big.Int).SetString("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3", 16)
	one           = big.NewInt(1)
)

// smallOrderY are the canonical y of all points of order 1, 2, 4 and 8 of edwards25519 (S2.1), little-endian.
var smallOrderY = points(
	"0100000000000000000000000000000000000000000000000000000000000000", // 1, the neutral element
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // -1, order 2
	"0000000000000000000000000000000000000000000000000000000000000000", // 0, order 4
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
)

// smallOrderU are the canonical u of all points of small order of curve25519 and its twist (S2.4), little-endian.
var smallOrderU = points(
	"0000000000000000000000000000000000000000000000000000000000000000", // 0, order 2
	"0100000000000000000000000000000000000000000000000000000000000000", // 1, order 4
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", // order 8
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", // order 8
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // -1, order 4 on the twist
)

func points(all ...string) [][32]byte {
	list := make([][32]byte, len(all))
	for i, text := range all {
		if n, err := hex.Decode(list[i][:], []byte(text)); err != nil || n != 32 {
			panic("identity: a point of small order is misspelt")
		}
	}
	return list
}

// belowPrime reports whether 32 little-endian bytes, without their top bit, are below p, which is ed ff … ff 7f.
func belowPrime(raw []byte) bool {
	if raw[0] < 0xed || raw[31]&0x7f != 0x7f {
		return true
	}
	for _, b := range raw[1:31] {
		if b != 0xff {
			return true
		}
	}
	return false
}

// lowOrderEd25519 ignores the sign bit: a point of small order with the other sign has small order as well.
func lowOrderEd25519(raw []byte) bool {
	y := [32]byte(raw)
	y[31] &= 0x7f
	return contains(smallOrderY, y[:])
}

func lowOrderX25519(raw []byte) bool { return contains(smallOrderU, raw) }

// onEdwards25519 reports whether some x fulfils -x^2 + y^2 = 1 + d x^2 y^2, that is, whether
// x^2 = (y^2 - 1) / (d y^2 + 1) is a square; numerator times denominator is one if and only if the quotient is.
func onEdwards25519(raw []byte) bool {
	y := fieldElement(raw)
	y2 := y.Mul(y, y)
	y2.Mod(y2, fieldPrime)
	u := new(big.Int).Sub(y2, one)
	v := new(big.Int).Mul(edwardsD, y2)
	v.Add(v, one)
	u.Mul(u, v).Mod(u, fieldPrime)
	return big.Jacobi(u, fieldPrime) != -1
}

func fieldElement(raw []byte) *big.Int {
	bigEndian := slices.Clone(raw)
	slices.Reverse(bigEndian)
	bigEndian[0] &= 0x7f
	return new(big.Int).SetBytes(bigEndian)
}
