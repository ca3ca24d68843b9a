; The agent's installer. Silent with /S, as schools roll it out; an agent.toml that lies beside
; the installer becomes this PC's settings, and the service starts at once.
Target amd64-unicode
Name "SchoolPulse 校园脉搏"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\SchoolPulse"
RequestExecutionLevel admin
SetCompressor /SOLID lzma
VIProductVersion "0.0.0.0"

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\SchoolPulse"

Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Var Data

Function .onInit
  SetRegView 64
  SetShellVarContext all
FunctionEnd

Function un.onInit
  SetRegView 64
  SetShellVarContext all
FunctionEnd

Section
  StrCpy $Data "$APPDATA\SchoolPulse" ; of all users: C:\ProgramData
  ; An older one is stopped first, or its files could not be replaced.
  IfFileExists "$INSTDIR\schoolpulse-agent.exe" 0 +2
    nsExec::Exec '"$INSTDIR\schoolpulse-agent.exe" uninstall'
  SetOutPath "$INSTDIR"
  File /r "${FOLDER}\*.*"
  File "/oname=agent.sample.toml" "${SAMPLE}"
  CreateDirectory "$Data"
  IfFileExists "$EXEDIR\agent.toml" 0 +2
    CopyFiles /SILENT "$EXEDIR\agent.toml" "$Data\agent.toml"
  IfFileExists "$EXEDIR\ca.pem" 0 +2
    CopyFiles /SILENT "$EXEDIR\ca.pem" "$Data\ca.pem"

  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKLM "${KEY}" "DisplayName" "SchoolPulse 校园脉搏"
  WriteRegStr HKLM "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${KEY}" "NoModify" 1
  WriteRegDWORD HKLM "${KEY}" "NoRepair" 1

  IfFileExists "$Data\agent.toml" 0 unset
    nsExec::ExecToLog '"$INSTDIR\schoolpulse-agent.exe" install'
    Pop $0
    StrCmp $0 0 done
    DetailPrint "schoolpulse-agent install: $0"
    SetErrorLevel 1
    Goto done
  unset:
    DetailPrint "没有 agent.toml：填好 $INSTDIR\agent.sample.toml，再运行 schoolpulse-agent install --config 文件"
  done:
SectionEnd

Section Uninstall
  ; Without a trace: the service, the program, its settings and its data.
  nsExec::Exec '"$INSTDIR\schoolpulse-agent.exe" uninstall --purge'
  RMDir /r "$APPDATA\SchoolPulse"
  RMDir /r "$INSTDIR"
  DeleteRegKey HKLM "${KEY}"
SectionEnd
