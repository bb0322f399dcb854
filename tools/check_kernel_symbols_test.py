#!/usr/bin/env python3
"""check_kernel_symbols.py finds what it is there to find."""

import unittest

import check_kernel_symbols as check

FILES = {"avx2": ["kernels.cc"], "avx512": ["kernels.cc"]}
GOOD = """
libanabranch_kernels.a[norm.cc.o]:
_ZN9anabranch3ref7RmsNormE T 0 10
libanabranch_kernels.a[kernels.cc.o]:
_ZN9anabranch12kAvx2KernelsE D 0 90
libanabranch_kernels.a[kernels.cc.o]:
_ZN9anabranch14kAvx512KernelsE D 0 90
"""


def faults(nm_output, files=None):
    return check.faults_of(check.members_of(nm_output), files or FILES)


class CheckKernelSymbols(unittest.TestCase):
    def test_tables_alone_are_fine(self):
        self.assertEqual(faults(GOOD), [])

    def test_a_weak_symbol_is_found(self):
        bad = GOOD + "_ZSt3maxIfERKT_S2_S2_ W 0 20\n"
        self.assertEqual(len(faults(bad)), 1)
        self.assertIn("_ZSt3maxIfERKT_S2_S2_", faults(bad)[0])

    def test_a_missing_table_is_found(self):
        self.assertTrue(faults(GOOD.replace("_ZN9anabranch14kAvx512KernelsE D 0 90", "")))

    def test_a_missing_object_is_found(self):
        more = {"avx2": ["kernels.cc", "attend.cc"], "avx512": ["kernels.cc"]}
        self.assertTrue(faults(GOOD, more))

    def test_what_sanitizers_add_is_no_fault(self):
        self.assertEqual(faults(GOOD + "__odr_asan._ZN9anabranch14kAvx512KernelsE B 0 1\n"), [])


if __name__ == "__main__":
    unittest.main()
