#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# `sluice doctor`: what it says is what the machine shows to others.

import os
import re
import subprocess
import unittest

import cli_support

SECTIONS = ["kernel", "camera", "gpu", "gstreamer", "engine", "path"]


class Doctor(cli_support.ProgramTest):
    def setUp(self):
        self.findings = self.json_of("doctor", "--json")["findings"]

    def find(self, section, name):
        found = [one for one in self.findings if (one["section"], one["name"]) == (section, name)]
        self.assertEqual(len(found), 1, (section, name))
        return found[0]

    def test_every_section_is_there_in_its_order(self):
        self.assertEqual(list(dict.fromkeys(one["section"] for one in self.findings)), SECTIONS)
        for one in self.findings:
            self.assertEqual(list(one), ["section", "name", "state", "found", "remedy"])
            self.assertIn(one["state"], ("good", "missing", "info"), one)
            self.assertTrue(one["found"], one)

    def test_the_kernel_is_this_one(self):
        self.assertIn(os.uname().release, self.find("kernel", "release")["found"])
        for path in ("/dev/udmabuf",):
            state = self.find("kernel", path)["state"]
            self.assertEqual(state == "good", os.access(path, os.R_OK | os.W_OK))
        makes = self.find("kernel", "making dmabufs")["state"] == "good"
        self.assertTrue(makes or self.find("kernel", "sync_file of a dmabuf")["state"] == "info")

    def test_nodes_are_those_in_dev(self):
        for section, folder, prefix in (("camera", "/dev", "video"), ("gpu", "/dev/dri", "renderD")):
            there = sorted(os.path.join(folder, name) for name in (os.listdir(folder) if os.path.isdir(folder) else [])
                           if name.startswith(prefix))
            told = [one["name"] for one in self.findings if one["section"] == section]
            self.assertEqual(told, there or [f"{folder}/{prefix}*"])

    def test_elements_are_those_that_gst_inspect_finds(self):
        version = subprocess.run(["gst-inspect-1.0", "--version"], capture_output=True, text=True, check=True).stdout
        self.assertIn(self.find("gstreamer", "version")["found"].split()[-1], version)
        for one in self.findings:
            if one["section"] == "gstreamer" and one["name"] != "version":
                shown = subprocess.run(["gst-inspect-1.0", one["name"]], capture_output=True, text=True, check=False)
                self.assertEqual(one["state"] == "good", shown.returncode == 0, one)
                if shown.returncode == 0:
                    self.assertEqual("dmabufs by their own caps" in one["found"],
                                     "video/x-raw(memory:DMABuf)" in shown.stdout, one)

    def test_devices_are_those_of_sluice_devices(self):
        listed = [device["name"] for device in self.json_of("devices", "--json")["devices"]]
        self.assertEqual([one["name"] for one in self.findings if one["section"] == "engine"], listed)

    def test_the_text_tells_the_same_and_how_to_report_it(self):
        text = self.succeeds("doctor")
        for one in self.findings:
            self.assertIn(one["name"], text)
            if one["state"] == "missing" and one["remedy"]:
                self.assertIn(f"  {one['name']}: {one['remedy']}\n", text)
        self.assertRegex(text, re.escape("sluice doctor --json"))
        self.assertIn("docs/hardware.md", text)


if __name__ == "__main__":
    cli_support.main()
