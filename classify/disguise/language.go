package disguise

// pairs says how much more often a letter follows another in English than it would
// by chance, in quarters of a bit. Space, which is 0, stands at both ends of a
// word; a is 1.
var pairs = func() (t [alphabet << 5]int8) {
	// Counted in 8 million letters of questions and tasks; a "D" is nothing, each
	// letter further on a quarter of a bit more.
	for a, row := range [alphabet]string{
		"0KDFCBE@DI:9BDAGE8CHK>;E0@0",
		"J0@FC0;B3C0?JCN0@0IHK<B95A1",
		"CI<42O000F=0L00K00G?7K000G0",
		"FL2@0L00JF0EE00M00F<KD000<0",
		"SE00>M092J00;38F00@B1B;10:0",
		"QF2CFA;>4<02EBI:;9KJD1?;>;0",
		"PF000HF00L00@00M00H4AH00080",
		"RI004L0<GG00A2@E>0F?<E000>0",
		"KM000R000J0053:I00>4@=000;0",
		"FA<GDDB@0009FCOH>2BJJ2C060<",
		"GO801L000A00000O901D0N00000",
		"PA130P475M01>6H@405G59020=0",
		"MI48EM:20J05K93H>02CAC890G0",
		"MME00O:00H004C6JI01B0D000B0",
		"OD0GKH<K0C09:4>D900GJ>:00@0",
		"K8;@A7G=5;09DFM@B0LAEKAE160",
		"HI005L60BE00J40KF0M?FG000?0",
		"D70000000800>00000800W00000",
		"NH6=AN6=0J0<<ACI70BFE?900C0",
		"RA0A1J20CG0;885FB20FLE3:0:0",
		"OF065J12OJ00;30J50DB=A0:0?0",
		"HBAECG:A0C01IFJ0C0LJK000010",
		"?K000S000P00000E00000300020",
		"LL040L30KN00?0CK00C@5000000",
		"OG0F3G40:H002609O000N?003>0",
		"T:843B020?00998N>05F?003001",
		"FL002S047J03700G00050<130B?",
	} {
		for b, c := range []byte(row) {
			t[a<<5|b] = int8(c - 'D')
		}
	}
	return t
}()

// bothWays has the pairs as they stand and, times 1 << 16, the other way round, so
// that one sum is both.
var bothWays = func() (t [alphabet << 5]int32) {
	for a := range alphabet {
		for b := range alphabet {
			t[a<<5|b] = int32(pairs[a<<5|b]) + int32(pairs[b<<5|a])<<16
		}
	}
	return t
}()

// apart takes such a sum apart.
func apart(sum int32) (as, back int) {
	low := int16(sum) //nolint:gosec // that is what it is made of
	return int(low), int((sum - int32(low)) >> 16)
}

// alphabet is the letters and the space.
const alphabet = 27

// letters numbers the letters of ASCII, from 1.
var letters = func() (t [256]uint8) {
	for c := range 26 {
		t['a'+c], t['A'+c] = uint8(c+1), uint8(c+1)
	}
	return t
}()

// fit is how well a text fits the language: the sum over pairs, and their number.
type fit struct{ sum, n int }

// per reports whether the pairs are worth so much on average.
func (f fit) per(least int) bool { return f.sum >= least*f.n }

// read measures a text after a turn.
func read(text []byte, t turn) (f fit) {
	before := uint8(0)
	if t == backwards {
		for _, c := range text {
			k := letters[c]
			if k != 0 || before != 0 {
				f.sum += int(pairs[int(k)<<5|int(before)])
				f.n++
			}
			before = k
		}
		f.sum += int(pairs[before])
		return f
	}
	m := &turnTables[t]
	for _, c := range text {
		k := m[letters[c]]
		if k != 0 || before != 0 {
			f.sum += int(pairs[int(before)<<5|int(k)])
			f.n++
		}
		before = k
	}
	if before != 0 {
		f.sum += int(pairs[int(before)<<5])
	}
	return f
}
