"""Map files: strict, per table, both shapes; what they say is applied; re-running `map` keeps what was filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.commands import command

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.map_reading import read_map
from sbrt_followup.tables.records import read_cohort, read_imaging


def file(folder: Path, text: str, name: str = "map.yaml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def codes(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputRefused) as refused:
        read_map(file(folder, text))
    assert all(p.source is not None and p.source.line for p in refused.value.problems)
    return [p.code for p in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cohort: {colums: {level: H}}", "unknown-key"),
        ("cohort: {}\npatients: {}", "unknown-key"),
        ("cohort: {columns: {hight: H}}", "unknown-column"),
        ("cohort: {columns: {mri_date: M}}", "unknown-column"),
        ("cohort: {columns: {level: H, site_id: H}}", "repeated-column"),
        ("cohort: {values: {bilsky: {x: 4}}}", "not-allowed"),
        ("cohort: {values: {paraspinal: {unklar: '?'}}}", "to-fill-in"),
        ("cohort: {columns: {patient_id: '?'}}", "to-fill-in"),
        ("cohort: {dates: {sbrt_date: ['?']}}", "to-fill-in"),
        ("cohort: {dates: {sbrt_date: [YYYY-MM]}}", "no-day"),
        ("cohort: {dates: {level: [DD.MM.YYYY]}}", "bad-map"),
        ("cohort: {dates: {sbrt_date: [DD.YYYY]}}", "bad-date-format"),
        ("cohort: {decimal: ';'}", "bad-map"),
        ("cohort: {unnamed: maybe}", "bad-map"),
        ("cohort: {header_row: 0}", "bad-map"),
        ("cohort: {header_row: [3, 2]}", "bad-map"),
        ("cohort: {skip_rows: ['']}", "bad-map"),
        ("cohort: {where: {}}", "bad-map"),
        ("cohort: {values: {level: {'/(/': T1}}}", "bad-pattern"),
        ("cohort: {values: {level: {'/(x)/': 'T\\2'}}}", "bad-pattern"),
        ("valuse: {paraspinal: {J: 'yes'}}\ncolumns: {level: H}", "unknown-key"),
        ("[1, 2]", "not-a-mapping"),
    ],
)
def test_a_map_is_read_strictly(tmp_path: Path, text: str, code: str) -> None:
    assert code in codes(tmp_path, text)


def test_each_table_is_spoken_of_apart(tmp_path: Path) -> None:
    how = read_map(
        file(
            tmp_path,
            """
cohort:
  columns: {patient_id: Pat.-Nr., sbrt_date: Ende}
  dates: {sbrt_date: [DD.MM.YYYY], death_date: [DD.MM.YYYY, MM.YYYY]}
  decimal: ","
  missing: [n/a, "-"]
  values:
    paraspinal: {j: "yes", N: "no"}
    level: {'/(?:th|bwk) ?([0-9]+)/': T\\1}
imaging:
  columns: {patient_id: MRN}
""",
        )
    )
    cohort = file(
        tmp_path,
        "Pat.-Nr.;Ende;level;paraspinal;dose_gy;death_date\n7;31.01.2025;BWK 8; J ;22,5;-\n8;01.02.2025;th9;n;N/A;03.2025\n",
        "c.csv",
    )
    records = read_cohort(cohort, column_map=how.cohort)
    frame = records.frame
    assert frame["level"].tolist() == ["T8", "T9"]
    assert frame["paraspinal"].tolist() == ["yes", "no"]
    assert frame["dose_gy"].fillna(-1).tolist() == [22.5, -1]
    assert frame["sbrt_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-31", "2025-02-01"]
    assert records.months == {"death_date": frozenset({3})}
    imaging = file(tmp_path, "MRN,mri_date\n7,2025-04-30\n", "m.csv")
    assert read_imaging(imaging, column_map=how.imaging).frame["patient_id"].tolist() == ["7"]


def test_a_cell_that_fits_two_listed_styles_is_refused(tmp_path: Path) -> None:
    how = read_map(file(tmp_path, "cohort: {dates: {sbrt_date: [DD/MM/YYYY, MM/DD/YYYY]}}"))
    cohort = file(tmp_path, "patient_id,sbrt_date\nA,25/12/2024\nB,03/04/2025\n", "c.csv")
    with pytest.raises(InputRefused) as refused:
        read_cohort(cohort, column_map=how.cohort)
    assert [(p.code, p.rows) for p in refused.value.problems] == [("two-dates", (3,))]


def test_values_for_a_column_that_the_file_lacks_are_refused(tmp_path: Path) -> None:
    how = read_map(file(tmp_path, "cohort: {values: {paraspinal: {J: 'yes'}}}"))
    with pytest.raises(InputRefused) as refused:
        read_cohort(file(tmp_path, "patient_id,sbrt_date\nA,2025-01-31\n", "c.csv"), column_map=how.cohort)
    assert refused.value.problems[0].code == "unknown-column"


def test_skip_rows_never_loses_a_patient(tmp_path: Path) -> None:
    how = read_map(file(tmp_path, "cohort: {skip_rows: [3]}"))
    cohort = file(tmp_path, "patient_id,sbrt_date\nA,2025-01-31\nB,2025-02-01\n", "c.csv")
    with pytest.raises(InputRefused) as refused:
        read_cohort(cohort, column_map=how.cohort)
    assert [(p.code, p.rows) for p in refused.value.problems] == [("skips-a-patient", (3,))]
    how = read_map(file(tmp_path, "cohort: {skip_rows: [2, Summe]}"))
    cohort = file(tmp_path, "patient_id,sbrt_date\nid,day of the last fraction\nB,2025-02-01\nSumme,1\n", "c.csv")
    records = read_cohort(cohort, column_map=how.cohort)
    assert records.frame["patient_id"].tolist() == ["B"]
    assert [e.row for e in records.excluded] == [2, 4]


REDCAP = """record_id,redcap_repeat_instrument,redcap_repeat_instance,death_date,sbrt_date,level,paraspinal___1,mri_date
1,,,2025-03-01,,,,
1,sbrt_course,1,,2024-01-31,T8,1,
1,spine_mri,1,,,,,2024-05-01
2,,,,,,,
2,sbrt_course,1,,2025-01-31,L3,0,
"""


def test_redcap_tables_are_told_apart_and_the_dead_stay_dead(tmp_path: Path) -> None:
    how = read_map(
        file(
            tmp_path,
            """
cohort:
  columns: {patient_id: record_id, paraspinal: paraspinal___1}
  values: {paraspinal: {"1": "yes", "0": "no"}}
  where: {redcap_repeat_instrument: sbrt_course}
  patient_rows: {redcap_repeat_instrument: ""}
imaging:
  columns: {patient_id: record_id}
  where: {redcap_repeat_instrument: spine_mri}
""",
        )
    )
    path = file(tmp_path, REDCAP, "redcap.csv")
    records = read_cohort(path, column_map=how.cohort)
    assert records.frame["patient_id"].tolist() == ["1", "2"]
    assert records.frame["death_date"].notna().tolist() == [True, False]
    assert records.frame["paraspinal"].tolist() == ["yes", "no"]
    assert len(read_imaging(path, column_map=how.imaging).frame) == 1


GERMAN = "Register der Klinik;;;\nPat.-Nr.;Letzte Fraktion;Höhe;Primärtumor\n7;03.04.2025;BWK 8;Niere\n8;25.05.2025;LWK 2;Chordom\n"


def test_the_command_writes_the_map_and_leaves_the_question_in_it(tmp_path: Path) -> None:
    file(tmp_path, GERMAN, "ours.csv")
    done = command("map", "ours.csv", "-o", "map.yaml", cwd=tmp_path)
    text = (tmp_path / "map.yaml").read_text(encoding="utf-8")
    assert done.returncode == 1
    assert '"Chordom": "?"' in text
    assert "header_row: 2" in text
    refused = command("risk", "ours.csv", "--map", "map.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "to-fill-in" in refused.stderr


def test_running_it_again_keeps_what_was_filled_in(tmp_path: Path) -> None:
    file(tmp_path, GERMAN, "ours.csv")
    command("map", "ours.csv", "-o", "map.yaml", cwd=tmp_path)
    text = (tmp_path / "map.yaml").read_text(encoding="utf-8")
    (tmp_path / "map.yaml").write_text(text.replace('"Chordom": "?"', '"Chordom": "other"'), encoding="utf-8")
    file(tmp_path, GERMAN + "9;26.05.2025;LWK 3;Mamma\n", "ours.csv")
    done = command("map", "ours.csv", "-o", "map.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = (tmp_path / "map.yaml").read_text(encoding="utf-8")
    assert '"Chordom": "other"' in again
    assert '"Mamma": "breast"' in again
    assert "3 of 3 rows read" in done.stderr
    assert command("risk", "ours.csv", "--map", "map.yaml", cwd=tmp_path).returncode == 0


def test_another_file_is_never_taken_for_a_map(tmp_path: Path) -> None:
    file(tmp_path, GERMAN, "ours.csv")
    file(tmp_path, "a letter to somebody", "letter.txt")
    assert command("map", "ours.csv", "-o", "letter.txt", cwd=tmp_path).returncode == 2
    assert (tmp_path / "letter.txt").read_text() == "a letter to somebody"


def test_a_map_never_lists_names_ids_or_free_text(tmp_path: Path) -> None:
    rows = "".join(f"ZQ-{n},2025-01-{n + 1:02d},Meier{n},see letter {n}\n" for n in range(20))
    file(tmp_path, "patient_id,sbrt_date,name,remark\n" + rows, "c.csv")
    done = command("map", "c.csv", cwd=tmp_path)
    assert done.returncode == 0
    assert not any(word in done.stdout for word in ("ZQ", "Meier", "letter"))


def test_the_ids_of_both_tables_are_held_against_each_other(tmp_path: Path) -> None:
    file(tmp_path, "patient_id,sbrt_date\n0017,2025-01-31\n18,2025-01-31\n", "c.csv")
    file(tmp_path, "patient_id,mri_date\n17,2025-04-30\n18,2025-04-30\n", "m.csv")
    done = command("map", "c.csv", "--imaging", "m.csv", cwd=tmp_path)
    assert "1 of 2 MRIs belong to a patient" in done.stderr
    assert "row 2: the id differs only in leading zeros" in done.stderr


def test_the_schema_says_what_the_reader_takes(tmp_path: Path) -> None:
    import json

    import jsonschema
    import yaml

    schema = json.loads(command("map", "--schema", cwd=tmp_path).stdout)
    check = jsonschema.Draft202012Validator(schema)
    file(tmp_path, GERMAN, "ours.csv")
    command("map", "ours.csv", "-o", "map.yaml", cwd=tmp_path)
    written = yaml.safe_load((tmp_path / "map.yaml").read_text(encoding="utf-8"))
    assert list(check.iter_errors(written)) == []
    for wrong in (
        "cohort: {colums: {}}",
        "cohort: {values: {bilsky: {x: 4}}}",
        "cohort: {dates: {level: [DD.MM.YYYY]}}",
        "x: {}",
    ):
        assert list(check.iter_errors(yaml.safe_load(wrong))), wrong


def answers(monkeypatch: pytest.MonkeyPatch, *given: str) -> list[str]:
    """Sit at a terminal and give these answers."""
    from sbrt_followup.cli import asking

    asked: list[str] = []
    left = list(given)

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return left.pop(0)

    monkeypatch.setattr(asking.typer, "prompt", prompt)
    return asked


def test_on_a_terminal_it_asks_and_takes_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sbrt_followup.cli.asking import ask
    from sbrt_followup.tables.columns import COHORT
    from sbrt_followup.tables.mapping import TableMap
    from sbrt_followup.tables.proposing import propose

    path = file(tmp_path, "Fall;Letzte Fraktion;Histologie\n7;03/04/2025;Chordom\n8;04/05/2025;Chordom\n", "c.csv")
    proposal = propose(str(path), "cohort", COHORT, TableMap())
    assert {q.part for q in proposal.questions} == {"dates", "values"}
    asked = answers(monkeypatch, "1", "other")
    ask(proposal)
    assert len(asked) == 2
    assert proposal.questions == []
    frame = read_cohort(path, column_map=proposal.how).frame
    assert frame["sbrt_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-04-03", "2025-05-04"]
    assert frame["histology"].tolist() == ["other", "other"]


def test_enter_leaves_a_question_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sbrt_followup.cli.asking import ask
    from sbrt_followup.tables.columns import COHORT
    from sbrt_followup.tables.mapping import TableMap
    from sbrt_followup.tables.proposing import propose

    path = file(tmp_path, "patient_id,sbrt_date\n7,03/04/2025\n", "c.csv")
    proposal = propose(str(path), "cohort", COHORT, TableMap())
    answers(monkeypatch, "")
    ask(proposal)
    assert [q.part for q in proposal.questions] == ["dates"]
