#!/usr/bin/env python3
"""A pack of detections over many events, against one detection over the same events.

    cargo build --release
    benches/hunt.py --data FOLDER [--events 1000000] [--detections 1000] [--spelunk target/release/spelunk] [--runs 3]

The events are generated once into FOLDER, as JSON lines and as a store; so is the pack: detections of the forms that are
published most, which differ in the programs, words, keys and paths that they look for. One detection of each form is run
as a pack of its own, so that the process, its start and its reading are the same; the ratios are those of the whole pack to
the median and to the slowest of these.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
from pathlib import Path

from measuring import in_turn, run, run_well

PROGRAMS = """at bash bcdedit bitsadmin certutil cmd cmstp control csc cscript curl dism dllhost dsquery esentutl
explorer extrac32 findstr forfiles fsutil hh icacls ieexec infdefaultinstall installutil java lsass makecab mavinject mmc
mofcomp msbuild mshta msiexec msxsl net net1 netsh nltest notepad ntdsutil odbcconf pcalua powershell presentationhost
procdump psexec pubprn python rdrleakdiag reg regasm regsvcs regsvr32 replace rundll32 sc schtasks scrcons sdbinst
services spoolsv svchost syncappvpublishingserver systeminfo tasklist taskkill verclsid vssadmin wbadmin wevtutil whoami
winrm winword wmic wmiprvse wscript wsmprovhost xwizard""".split()
WORDS = """-accepteula -automation -decode -embedding -enc -encodedcommand -exec -hidden -ma -nop -urlcache -verifyctl /add
/c /create /delete /domain /priv /quiet /s /sync /transfer admin$ appdata autorun base64 bypass c$ clipboard comsvcs
credential delete disable download export firewall frombase64 get-adcomputer group hklm iex import invoke javascript
localgroup minidump mimikatz ntds password processcallcreate programdata protection query recyclebin remote sam save
scrobj secret security set-mppreference shadowcopy start stop system temp trusts uninstall unload user users webclient
window""".split()
KEYS = """AppCertDlls AppInit_DLLs AutodialDLL Classes\\\\CLSID CurrentVersion\\\\Run CurrentVersion\\\\RunOnce Debugger
DisableAntiSpyware DisableTaskMgr EnableLUA Environment\\\\UserInitMprLogonScript Explorer\\\\Shell\\ Folders
Image\\ File\\ Execution\\ Options InprocServer32 Lsa\\\\Authentication\\ Packages NetworkProvider\\\\Order Netsh
Print\\\\Monitors Policies\\\\System SafeBoot Services\\\\ServiceDll Session\\ Manager SilentProcessExit Winlogon\\\\Shell
Winlogon\\\\Userinit WDigest\\\\UseLogonCredential""".replace("\\ ", "\0").split()
PATHS = r"""*\\AppData\\Roaming\\* *\\Downloads\\* *\\Perflogs\\* *\\ProgramData\\* *\\Public\\* *\\Recycle* *\\Startup\\*
*\\System32\\drivers\\* *\\System32\\spool\\* *\\Tasks\\* *\\Temp\\* *\\inetpub\\*""".split()
ENDINGS = "7z aspx bat cab chm dll doc exe hta inf iso jar js lnk ps1 scr sys url vbs wsf zip".split()

MODEL = ("| tstats `security_content_summariesonly` count min(_time) as firstTime max(_time) as lastTime "
         "from datamodel=Endpoint.{object} where {where} by {by} | `drop_dm_object_name({name})` "
         "| `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)` | `detection_{number}_filter`")
EVENTS = ("`{source}` EventCode={code} {where} | stats count min(_time) as firstTime max(_time) as lastTime by {by} "
          "| `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)` | `detection_{number}_filter`")
PROCESSES = " ".join(f"Processes.{field}" for field in ("dest user parent_process_name parent_process process_name "
                     "process process_id parent_process_id original_file_name").split())


def a_process(choice):
    program, parent = choice.sample(PROGRAMS, 2)
    words = choice.sample(WORDS, choice.randint(1, 3))
    name = f'(Processes.process_name={program}.exe OR Processes.original_file_name={program}.exe)'
    text = " ".join(f'Processes.process="*{word}*"' for word in words)
    above = f" Processes.parent_process_name={parent}.exe" if choice.random() < 0.4 else ""
    return {"object": "Processes", "name": "Processes", "where": f"{name} {text}{above}", "by": PROCESSES}


def a_parent(choice):
    parents = ", ".join(f'"{name}.exe"' for name in choice.sample(PROGRAMS, choice.randint(2, 6)))
    children = ", ".join(f'"{name}.exe"' for name in choice.sample(PROGRAMS, choice.randint(2, 8)))
    where = f"Processes.parent_process_name IN ({parents}) Processes.process_name IN ({children})"
    return {"object": "Processes", "name": "Processes", "where": where, "by": PROCESSES}


def a_key(choice):
    key = choice.choice(KEYS).replace("\0", " ")
    data = choice.choice(["*.exe*", "0x00000001", "*powershell*", "*http*"])
    where = f'Registry.registry_path="*\\\\{key}*" Registry.registry_value_data="{data}"'
    by = "Registry.dest Registry.user Registry.registry_path Registry.registry_value_name Registry.registry_value_data"
    return {"object": "Registry", "name": "Registry", "where": where, "by": by}


def a_file(choice):
    names = ", ".join(f'"*.{ending}"' for ending in choice.sample(ENDINGS, choice.randint(1, 5)))
    where = f'Filesystem.file_path="{choice.choice(PATHS)}" Filesystem.file_name IN ({names})'
    by = "Filesystem.dest Filesystem.file_create_time Filesystem.file_name Filesystem.file_path Filesystem.process_guid"
    return {"object": "Filesystem", "name": "Filesystem", "where": where, "by": by}


def an_image(choice):
    image, loaded = choice.choice(PROGRAMS), choice.choice(PATHS)
    where = f'Image="*\\\\{image}.exe" ImageLoaded="{loaded}" NOT Signed=true'
    return {"source": "sysmon", "code": 7, "where": where, "by": "dest Image ImageLoaded process_id user_id"}


def an_access(choice):
    source = choice.choice(PROGRAMS)
    where = f'SourceImage="*\\\\{source}.exe" TargetImage=*lsass.exe GrantedAccess IN ("0x1010", "0x1fffff")'
    return {"source": "sysmon", "code": 10, "where": where, "by": "dest SourceImage TargetImage GrantedAccess"}


def a_script(choice):
    words = " ".join(f'ScriptBlockText="*{word}*"' for word in choice.sample(WORDS, choice.randint(1, 3)))
    return {"source": "powershell", "code": 4104, "where": words, "by": "dest ScriptBlockText Opcode user_id"}


def a_logon(choice):
    where = f'LogonType={choice.choice([2, 3, 9, 10])} TargetUserName="*{choice.choice(WORDS)}*" NOT IpAddress="-"'
    return {"source": "wineventlog_security", "code": 4624, "where": where, "by": "dest TargetUserName IpAddress"}


# How often a published detection for Windows has this form, in hundredths.
FORMS = [(a_process, 42), (a_parent, 10), (a_key, 14), (a_file, 9), (a_script, 12), (an_image, 5), (an_access, 3),
         (a_logon, 5)]


def write_pack(folder, detections):
    """Writes as many detections, and for each form one as a pack of its own."""
    choice = random.Random(7)
    shutil.rmtree(folder, ignore_errors=True)
    kinds = choice.choices([form for form, _ in FORMS], [often for _, often in FORMS], k=detections)
    first = {}
    for number, form in enumerate(kinds):
        made = form(choice)
        text = (MODEL if "object" in made else EVENTS).format(number=number, **made)
        document = {"name": f"Detection {number}", "id": f"d-{number}", "type": "TTP", "search": text,
                    "tags": {"risk_score": choice.randint(1, 100), "mitre_attack_id": ["T1059"]}}
        targets = [folder / "all"]
        if form not in first:
            first[form] = folder / form.__name__
            targets.append(first[form])
        for target in targets:
            target.mkdir(parents=True, exist_ok=True)
            # JSON is YAML.
            (target / f"detection_{number}.yml").write_text(json.dumps(document))
    return folder / "all", first


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True, help="a folder for the events and the pack")
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--detections", type=int, default=1_000)
    arguments.add_argument("--spelunk", default="target/release/spelunk")
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    lines, store = given.data / f"events-{given.events}.jsonl", given.data / f"store-{given.events}"
    if not lines.exists():
        run_well([given.spelunk, "generate", "--events", str(given.events), "--seed", "7", "--format", "jsonl",
                  "--out", str(lines)])
    if not store.exists():
        run_well([given.spelunk, "index", "-o", str(store), str(lines)])
    pack, single = write_pack(given.data / "pack", given.detections)
    print(f"{given.detections} detections, {given.events} events, medians of {given.runs}\n")
    print("| events | what | s | processor s | MiB |\n|---|---|---|---|---|")
    for name, events in (("JSON lines", lines), ("store", store)):
        def hunt(rules):
            return [given.spelunk, "hunt", "--rules", str(rules), str(events), "--output", "json", "--quiet"]

        whole = run(hunt(pack))
        report = json.loads(whole.output)
        if report["not_run"]:
            sys.exit(f"{report['not_run']} detections were not run")
        packs = [("the pack", pack)] + [(form.__name__, folder) for form, folder in single.items()]
        figures = in_turn([hunt(folder) for _, folder in packs], given.runs, accept=(0, 1))
        for (what, _), (seconds, processor, peak) in zip(packs, figures):
            print(f"| {name} | {what} | {seconds:.2f} | {processor:.2f} | {peak:.0f} |", flush=True)
        (whole_seconds, whole_processor, _), *ones = figures
        ratios = [f"{name}: {whole_seconds / of(one[0] for one in ones):.1f} of time, "
                  f"{whole_processor / of(one[1] for one in ones):.1f} of processor time"
                  for name, of in (("median", statistics.median), ("slowest", max))]
        print(f"\n{report['hits']} detections found something. The pack to the {', to the '.join(ratios)}\n")


if __name__ == "__main__":
    main()
